#pragma once

#include <span>
#include <string_view>

namespace ridestream::trip {

/// The versions of the trip database, for sqlite::Migrate. Entries that were shipped never change.
std::span<const std::string_view> Migrations();

}  // namespace ridestream::trip
