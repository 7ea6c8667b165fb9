// expect: this call reads its whole input before it returns, and this range is infinite: use imap
#include <procpool/procpool.hpp>

#include <iterator>

class Naturals {
 public:
  class Iterator {
   public:
    using value_type = int;
    using difference_type = int;
    int operator*() const { return at_; }
    Iterator& operator++() { return ++at_, *this; }
    void operator++(int) { ++at_; }

   private:
    int at_ = 0;
  };
  Iterator begin() const { return {}; }
  std::unreachable_sentinel_t end() const { return {}; }
};

int main() {
  procpool::Pool pool;
  pool.map([](int x) { return -x; }, Naturals());
}
