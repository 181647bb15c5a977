#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>

#include "libs/service/service.h"

namespace ridestream::service {

/// `event key=value …`; a value that isn't plain ASCII is quoted, with JSON's escapes. No value,
/// whatever it is, begins another line or controls a terminal. Values over 1 KiB are cut. Time,
/// level and service are put before it by the logger.
std::string TextLine(std::string_view event, std::span<const Field> fields);

/// One JSON object, whole: {"time_us":…,"level":…,"service":…,"event":…, and the fields as
/// strings}.
std::string JsonLine(std::chrono::system_clock::time_point time, Level level,
                     std::string_view service, std::string_view event,
                     std::span<const Field> fields);

}  // namespace ridestream::service
