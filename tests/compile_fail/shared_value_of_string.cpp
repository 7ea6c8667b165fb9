// expect: what several processes see in one memory must be trivially copyable
#include <procpool/shared.hpp>

#include <string>

int main() { procpool::SharedValue<std::string> text; }
