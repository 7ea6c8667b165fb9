#include <dlfcn.h>

#include <stdexcept>

#include "os/modules.hpp"

namespace procpool::inline v0::os {

bool load_module(const std::filesystem::path& file) {
  if (::dlopen(file.c_str(), RTLD_NOW | RTLD_NOLOAD) != nullptr) return false;
  // Local: two modules may have functions of one name.
  if (::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL) != nullptr) return true;
  const char* const reason = ::dlerror();
  throw std::runtime_error(reason != nullptr ? reason : file.string());
}

}  // namespace procpool::inline v0::os
