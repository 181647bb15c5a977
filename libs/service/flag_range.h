#pragma once

#include <fmt/format.h>

#include <functional>
#include <string>
#include <string_view>
#include <type_traits>

#include "absl/flags/flag.h"
#include "absl/flags/reflection.h"
#include "absl/status/status.h"
#include "absl/time/time.h"

/// Defines a flag with a range, like ABSL_FLAG, in a .cc file outside of namespaces.
///
///   RIDESTREAM_RANGED_FLAG(int, threads, 2, "Threads that serve connections", 1, 64);
///
/// Both ends are included, and --help shows the range after the text. A further argument `true`
/// also admits 0. A default outside of the range doesn't compile; for any other value outside,
/// service::Initialize ends the process with a message that has the flag, the value and the range.
#define RIDESTREAM_RANGED_FLAG(Type, name, standard, help, ...)                         \
  static_assert(ridestream::service::FlagRange<Type>{__VA_ARGS__}.Contains(standard),   \
                "the default of --" #name " is outside its range");                     \
  ABSL_FLAG(Type, name, standard,                                                       \
            ridestream::service::HelpWithRange(                                         \
                help, ridestream::service::FlagRange<Type>{__VA_ARGS__}));              \
  [[maybe_unused]] const bool g_##name##_has_range = ridestream::service::AddFlagCheck( \
      [] { return ridestream::service::FlagRange<Type>{__VA_ARGS__}.Check(FLAGS_##name); })

namespace ridestream::service {

template <class T>
std::string ToText(const T& value) {
  if constexpr (std::is_same_v<T, absl::Duration>) {
    return absl::FormatDuration(value);
  } else {
    return fmt::format("{}", value);
  }
}

/// "--threads=2".
template <class T>
std::string TextOf(const absl::Flag<T>& flag) {
  return fmt::format("--{}={}", std::string(absl::GetFlagReflectionHandle(flag).Name()),
                     ToText(absl::GetFlag(flag)));
}

template <class T>
struct FlagRange {
  T low;
  T high;
  bool or_zero = false;

  constexpr bool Contains(const T& value) const {
    return (low <= value && value <= high) || (or_zero && value == T());
  }
  /// Returns INVALID_ARGUMENT, with the flag, its value and the range, for a value outside of the
  /// range.
  absl::Status Check(const absl::Flag<T>& flag) const {
    if (Contains(absl::GetFlag(flag))) return absl::OkStatus();
    return absl::InvalidArgumentError(fmt::format("{}: must be in {}", TextOf(flag), Text()));
  }
  /// "1 to 64", "0 or 1s to 24h".
  std::string Text() const {
    return fmt::format("{}{} to {}", or_zero ? "0 or " : "", ToText(low), ToText(high));
  }
};

/// For a bound that is another flag: returns INVALID_ARGUMENT, with both flags, unless flag >=
/// least.
template <class T>
absl::Status CheckAtLeast(const absl::Flag<T>& flag, const absl::Flag<T>& least) {
  if (absl::GetFlag(flag) >= absl::GetFlag(least)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("{}: must be at least {}", TextOf(flag), TextOf(least)));
}

/// Returns INVALID_ARGUMENT for a flag of this program that was defined by RIDESTREAM_RANGED_FLAG
/// and is outside of its range. For programs and tests that don't call service::Initialize.
absl::Status CheckFlagRanges();

/// Used by the macro.
bool AddFlagCheck(std::function<absl::Status()> check);
template <class T>
std::string HelpWithRange(std::string_view help, const FlagRange<T>& range) {
  return fmt::format("{}. Range: {}", help, range.Text());
}

}  // namespace ridestream::service
