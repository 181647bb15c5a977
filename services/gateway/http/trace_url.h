#pragma once

#include <string_view>

#include "absl/status/status.h"

namespace ridestream::gateway {

/// Checks a template of the page that shows a trace: an http or https URL of at most 2,048 bytes
/// that has "{trace_id}" once, behind the host. A browser shows it as a link, so it must be a plain
/// URL: no user, no white space, none of the characters that a URL percent-encodes.
/// INVALID_ARGUMENT says what is wrong.
absl::Status CheckTraceUrl(std::string_view url_template);

}  // namespace ridestream::gateway
