#pragma once

#include <google/protobuf/generated_enum_reflection.h>

#include <cctype>
#include <map>
#include <string>
#include <string_view>

#include "prometheus/counter.h"
#include "prometheus/family.h"

namespace ridestream::metrics {

/// A counter for each value of a proto enum except the first, UNSPECIFIED: OFFER_OUTCOME_EXPIRED
/// counts as outcome="expired". All counters exist from the start, at 0. Thread-safe.
template <class Enum>
class EnumCounters {
 public:
  /// `label` is the label with the value's name; `others` are further labels.
  EnumCounters(prometheus::Family<prometheus::Counter>& family, const std::string& label,
               prometheus::Labels others) {
    const auto& type = *google::protobuf::GetEnumDescriptor<Enum>();
    constexpr std::string_view kFirst = "UNSPECIFIED";
    const std::size_t prefix = type.value(0)->name().size() - kFirst.size();
    for (int i = 1; i < type.value_count(); ++i) {
      std::string value = type.value(i)->name().substr(prefix);
      for (char& letter : value) letter = static_cast<char>(std::tolower(letter));
      others[label] = value;
      counters_.emplace(type.value(i)->number(), &family.Add(others));
    }
  }

  /// Values outside of the enum are ignored.
  void Count(Enum value) {
    const auto found = counters_.find(static_cast<int>(value));
    if (found != counters_.end()) found->second->Increment();
  }

 private:
  std::map<int, prometheus::Counter*> counters_;  // Not changed after construction.
};

}  // namespace ridestream::metrics
