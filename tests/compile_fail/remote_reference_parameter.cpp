// expect: a task of another program cannot have a T& parameter
#include <procpool/named.hpp>

int main() { (void)procpool::remote<void(int&)>("twice"); }
