// A task module of somebody who uses procpool.
#include <string>

#include <procpool/named.hpp>

static const bool exported =
    procpool::export_task("shout", [](std::string text) { return text + "!"; });
