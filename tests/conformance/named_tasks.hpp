// What the program with the pool and the one with the tasks have in common: types, no code.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include <procpool/named.hpp>
#include <procpool/procpool.hpp>

namespace procpool::test {

struct Point {
  int x = 0;
  int y = 0;
  bool operator==(const Point&) const = default;
};
enum class Colour : std::uint8_t { red, green };

class Rejected : public std::runtime_error {
 public:
  explicit Rejected(const std::string& text = {}, int code = 0)
      : std::runtime_error(text), code_(code) {}
  int code() const { return code_; }
  template <class Archive>
  void serialize(Archive& ar) {
    ar(code_);
  }

 private:
  int code_;
};

}  // namespace procpool::test
