// expect: the result of this task cannot be sent home: make it a struct of shippable members
#include <procpool/procpool.hpp>

class Account {
 public:
  Account() {}

 private:
  int balance_ = 0;
};

int main() {
  procpool::Pool pool;
  pool.submit([] { return Account(); });
}
