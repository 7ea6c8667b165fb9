// expect: this argument cannot be sent to another process: make it a struct of shippable members
#include <procpool/procpool.hpp>

struct Node {
  int value = 0;
  Node* next = nullptr;
};

int main() {
  procpool::Pool pool;
  return pool.apply([](Node node) { return node.value; }, Node());
}
