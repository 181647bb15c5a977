#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>

#include "libs/service/service.h"

namespace ridestream::service {

/// `event key=value …`. Values that aren't plain ASCII are quoted with JSON's escapes, so no value
/// can start another line or control a terminal. Values over 1 KiB are cut. The logger prepends
/// time, level and service.
std::string TextLine(std::string_view event, std::span<const Field> fields);

/// A complete JSON object: {"time_us":…,"level":…,"service":…,"event":…, and the fields as
/// strings}.
std::string JsonLine(std::chrono::system_clock::time_point time, Level level,
                     std::string_view service, std::string_view event,
                     std::span<const Field> fields);

}  // namespace ridestream::service
