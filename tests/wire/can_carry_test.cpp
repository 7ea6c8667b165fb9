#include <gtest/gtest.h>

#include <any>
#include <cstdio>
#include <functional>
#include <mutex>
#include <procpool/detail/archive.hpp>
#include <thread>

#include "sample_types.hpp"

namespace {

template <class... T>
constexpr bool all = (procpool::detail::archive_can_carry<T> && ...);
template <class... T>
constexpr bool any = (procpool::detail::archive_can_carry<T> || ...);

TEST(CanCarry, ValuesAndWhatIsMadeOfThem) {
  EXPECT_TRUE((all<int, bool, double, user::Colour, std::string, std::wstring, std::byte>));
  EXPECT_TRUE((all<std::vector<int>, std::vector<bool>, std::deque<std::string>, std::list<int>,
                   std::map<int, std::vector<std::string>>, std::unordered_set<int>,
                   std::array<user::Point, 2>, std::optional<user::Tree>, std::bitset<3>,
                   std::variant<std::monostate, int>, std::tuple<>, std::pair<int, std::string>>));
  EXPECT_TRUE((all<std::filesystem::path, std::error_code, std::chrono::nanoseconds,
                   std::chrono::system_clock::time_point, std::complex<float>>));
  EXPECT_TRUE((all<std::unique_ptr<int>, std::shared_ptr<user::Point>, std::weak_ptr<int>>));
}

TEST(CanCarry, OwnTypes) {
  EXPECT_TRUE((all<user::Empty, user::Point, user::Sixteen, user::Tree, user::Chain,
                   user::Everything, user::WithMember, user::WithFree, user::WithSaveAndLoad>));
  EXPECT_FALSE((any<user::Seventeen, user::WithArray, user::WithArrayOfOne, user::WithPointer,
                    user::WithBase>));
}

TEST(CanCarry, NotWhatMeansSomethingInOneProcessOnly) {
  EXPECT_FALSE((any<int*, int&, const int, int[3], void, void (*)(), std::nullptr_t>));
  EXPECT_FALSE((any<std::function<int()>, std::any, std::thread, std::mutex, std::exception_ptr,
                    std::string_view, std::span<const int>, std::reference_wrapper<int>>));
  EXPECT_FALSE((any<std::unique_ptr<std::FILE>, std::unique_ptr<int, void (*)(int*)>>));
}

TEST(CanCarry, NotWhatIsMadeOfSuch) {
  EXPECT_FALSE((any<std::vector<int*>, std::map<int, std::function<void()>>,
                    std::optional<std::vector<user::WithPointer>>, std::tuple<int, int*>,
                    std::pair<const int, int>, std::variant<int, std::any>>));
}

}  // namespace
