#include "libs/roads/map/access_tags.h"

#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <string>

#include "libs/roads/map/tag_values.h"

namespace ridestream::roads {
namespace {

struct AccessValue {
  std::string_view value;
  CarAccess access;
};

constexpr AccessValue kAccessValues[] = {
    {"yes", CarAccess::kOpen},
    {"permissive", CarAccess::kOpen},
    {"designated", CarAccess::kOpen},
    {"official", CarAccess::kOpen},
    {"public", CarAccess::kOpen},
    {"discouraged", CarAccess::kOpen},
    {"unknown", CarAccess::kOpen},
    {"destination", CarAccess::kDestination},
    {"customers", CarAccess::kDestination},
    {"visitors", CarAccess::kDestination},
    {"no", CarAccess::kClosed},
    {"private", CarAccess::kClosed},
    {"agricultural", CarAccess::kClosed},
    {"forestry", CarAccess::kClosed},
    {"emergency", CarAccess::kClosed},
    {"military", CarAccess::kClosed},
    {"bus", CarAccess::kClosed},
    {"psv", CarAccess::kClosed},
    {"taxi", CarAccess::kClosed},
    {"hov", CarAccess::kClosed},
    {"tourist_bus", CarAccess::kClosed},
    {"delivery", CarAccess::kClosed},
    {"residents", CarAccess::kClosed},
    {"resident", CarAccess::kClosed},
    {"permit", CarAccess::kClosed},
    {"employees", CarAccess::kClosed},
    {"staff", CarAccess::kClosed},
    {"hgv", CarAccess::kClosed},
    {"goods", CarAccess::kClosed},
    {"disabled", CarAccess::kClosed},
    {"bicycle", CarAccess::kClosed},
    {"foot", CarAccess::kClosed},
    {"use_sidepath", CarAccess::kClosed},
};

/// The most specific first.
constexpr std::string_view kAccessKeys[] = {"motorcar", "motor_vehicle", "vehicle", "access"};

constexpr std::string_view kOpenBarriers[] = {
    "no",          "gate",       "lift_gate", "swing_gate",        "toll_booth", "border_control",
    "cattle_grid", "sally_port", "entrance",  "height_restrictor", "kerb",       "bump_gate",
};

/// nullopt if none of the values is known.
std::optional<CarAccess> AccessOfList(std::string_view list, TagCounts& counts) {
  std::optional<CarAccess> best;
  ForEachTagValue(list, [&](const std::string& value) {
    const auto it = std::find_if(std::begin(kAccessValues), std::end(kAccessValues),
                                 [&](const AccessValue& known) { return known.value == value; });
    if (it == std::end(kAccessValues)) {
      ++counts.unknown_values;
    } else {
      best = std::max(best.value_or(CarAccess::kClosed), it->access);
    }
  });
  return best;
}

}  // namespace

CarAccess ReadAccess(const Tags& tags, std::string_view direction, CarAccess otherwise,
                     TagCounts& counts) {
  for (const std::string_view key : kAccessKeys) {
    if (!direction.empty()) {
      const std::string directed = std::string(key).append(":").append(direction);
      if (const auto access = AccessOfList(tags.Get(directed), counts)) return *access;
    }
    if (const auto access = AccessOfList(tags.Get(key), counts)) return *access;
  }
  return otherwise;
}

bool MayPassNode(const Tags& tags, TagCounts& counts) {
  const std::string barrier = FirstTagValue(tags.Get("barrier"));
  if (barrier.empty()) return true;
  const bool usually_open = std::find(std::begin(kOpenBarriers), std::end(kOpenBarriers),
                                      barrier) != std::end(kOpenBarriers) ||
                            NormalizedTagValue(tags.Get("bollard")) == "rising";
  const CarAccess otherwise = usually_open ? CarAccess::kOpen : CarAccess::kClosed;
  return ReadAccess(tags, "", otherwise, counts) != CarAccess::kClosed;
}

}  // namespace ridestream::roads
