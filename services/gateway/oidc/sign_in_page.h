#pragma once

#include <string>

#include "services/gateway/http/message.h"

namespace ridestream::gateway {

/// Why a sign-in at an OIDC provider ended without a session.
enum class SignInFailure {
  /// The person, or the provider on their behalf, refused.
  kDenied,
  /// The callback doesn't belong to a sign-in that this browser has begun and not yet finished.
  kNotBegun,
  /// The browser used another name of the gateway than that to which the provider sends it back.
  kOtherHost,
  /// The provider can't be reached or sends what can't be used.
  kProviderUnavailable,
  /// The provider refused the code, or reported another error.
  kProviderRefused,
  /// The ID token isn't valid.
  kTokenRefused,
  /// The gateway's configuration doesn't fit the provider's.
  kMisconfigured,
  /// Too many sign-ins wait for the provider.
  kBusy,
};

/// A page in HTML for the person, which says what was wrong and what to do. It contains nothing
/// that the request or the provider says. `origin`: the gateway's own, to which its links lead.
Response SignInFailurePage(SignInFailure failure, const std::string& origin);

}  // namespace ridestream::gateway
