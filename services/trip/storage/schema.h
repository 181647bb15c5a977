#pragma once

#include <span>
#include <string_view>

namespace ridestream::trip {

/// The versions of the trip database's schema, for sqlite::Migrate. Published entries never change.
std::span<const std::string_view> Migrations();

}  // namespace ridestream::trip
