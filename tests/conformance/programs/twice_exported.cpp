// Two tasks under one name: main is never reached.
#include <procpool/named.hpp>

#include <cstdio>

namespace {

const bool one = procpool::export_task("half", [](int x) { return x / 2; });
const bool two = procpool::export_task("half", [](double x) { return x / 2; });

}  // namespace

int main() { std::puts("main is reached"); }
