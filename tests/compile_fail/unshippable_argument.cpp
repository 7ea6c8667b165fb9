// expect: this argument cannot be sent to another process: make it a struct of shippable members
// expect-also: check_argument() [with A = Account]
// expect-also-clang: check_argument<Account>
#include <procpool/procpool.hpp>

class Account {
 public:
  Account() = default;
  Account(const Account&) {}
  int balance() const { return balance_; }

 private:
  int balance_ = 0;
};

int balance_of(const Account& account);

int main() {
  procpool::Pool pool;
  return pool.apply(balance_of, Account());
}
