// expect: a task cannot return a pointer
#include <procpool/named.hpp>

int main() { (void)procpool::remote<int*(int)>("find"); }
