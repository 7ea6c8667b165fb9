// expect: remote wants the type of the exported function
#include <procpool/named.hpp>

int main() { (void)procpool::remote<int>("length"); }
