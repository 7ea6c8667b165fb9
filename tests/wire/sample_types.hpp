#pragma once

// Types as a user would write them.

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

namespace user {

enum class Colour : std::uint8_t { red, green, blue };

struct Empty {
  bool operator==(const Empty&) const = default;
};

struct Point {
  double x = 0;
  double y = 0;
  bool operator==(const Point&) const = default;
};

struct Sixteen {
  int a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p;
  bool operator==(const Sixteen&) const = default;
};

struct Seventeen {
  int a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q;
};

struct Tree {
  int value = 0;
  std::vector<Tree> children = {};
  bool operator==(const Tree&) const = default;
};

struct Chain {
  std::unique_ptr<Chain> next = {};
};

struct Everything {
  std::optional<std::string> text;
  std::filesystem::path path;
  std::error_code code;
  Empty empty;
  Colour colour = Colour::red;
  std::map<std::string, Point> points;
  std::vector<std::vector<bool>> flags;
  bool operator==(const Everything&) const = default;
};

inline Everything everything() {
  return {"x",
          "/p",
          std::make_error_code(std::errc::io_error),
          {},
          Colour::blue,
          {{"k", {1, 2}}},
          {{true}, {}, {false, true}}};
}

/// Structs that would travel member by member, but say how they want to.
struct WithMember {
  int value = 0;
  int calls = 0;
  template <class A>
  void serialize(A& ar) {
    ++calls;
    ar(value);
  }
};
struct WithFree {
  int value = 0;
  int calls = 0;
};
template <class A>
void serialize(A& ar, WithFree& object) {
  ++object.calls;
  ar(object.value);
}
struct WithSaveAndLoad {
  int value = 0;
  template <class A>
  void save(A& ar) const {
    ar(value + 1);
  }
  template <class A>
  void load(A& ar) {
    ar(value);
  }
};

struct WithArray {
  int values[3];
  int last;
};
struct WithArrayOfOne {
  int values[1];
};
struct WithPointer {
  int* at;
};
struct WithBase : Point {
  double z;
};

}  // namespace user
