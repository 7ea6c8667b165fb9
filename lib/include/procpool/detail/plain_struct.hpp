#pragma once

// A struct that has its own serialize, save or load (or for which cereal has one) keeps it. To see
// whether it has, one must look through the eyes of an archive whose namespace offers nothing.

#include <procpool/detail/aggregate.hpp>

#include <cereal/cereal.hpp>
#include <type_traits>

namespace procpool::inline v0::probe {

// Never constructed; only overload resolution sees them.
class Out : public cereal::OutputArchive<Out> {};
class In : public cereal::InputArchive<In> {};

template <class T>
requires std::is_arithmetic_v<T>
void save(Out&, const T&);
template <class T>
requires std::is_arithmetic_v<T>
void load(In&, T&);
template <class T>
void save(Out&, const cereal::NameValuePair<T>&);
template <class T>
void load(In&, cereal::NameValuePair<T>&);
template <class T>
void save(Out&, const cereal::SizeTag<T>&);
template <class T>
void load(In&, cereal::SizeTag<T>&);
template <class T>
void save(Out&, const cereal::BinaryData<T>&);
template <class T>
void load(In&, cereal::BinaryData<T>&);

}  // namespace procpool::inline v0::probe

CEREAL_SETUP_ARCHIVE_TRAITS(procpool::probe::In, procpool::probe::Out)

namespace procpool::inline v0::detail {

template <class T>
inline constexpr bool serializes_itself =
    cereal::traits::detail::count_output_serializers<T, probe::Out>::value != 0 ||
    cereal::traits::detail::count_input_serializers<T, probe::In>::value != 0;

template <class T>
consteval bool is_plain_struct_here() {
  if constexpr (is_plain_struct<T>()) {
    return !serializes_itself<T>;
  } else {
    return false;
  }
}

/// A struct that travels member by member.
template <class T>
concept PlainStruct = is_plain_struct_here<T>();

}  // namespace procpool::inline v0::detail
