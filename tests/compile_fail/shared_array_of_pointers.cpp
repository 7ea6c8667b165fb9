// expect: a pointer, span or string_view means nothing in another process
#include <procpool/shared.hpp>

struct Node {
  int value;
  Node* next;
};

int main() { procpool::SharedArray<Node> nodes(3); }
