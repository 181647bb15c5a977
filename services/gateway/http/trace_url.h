#pragma once

#include <string_view>

#include "absl/status/status.h"

namespace ridestream::gateway {

/// Checks a template for the URL of the page that shows a trace: an http or https URL of at most
/// 2,048 bytes with "{trace_id}" once, after the host. A browser shows it as a link, so it must be
/// a plain URL without a user, white space, or characters that a URL percent-encodes.
/// INVALID_ARGUMENT has the reason.
absl::Status CheckTraceUrl(std::string_view url_template);

}  // namespace ridestream::gateway
