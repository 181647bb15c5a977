#include "services/gateway/oidc/sign_in_page.h"

#include <fmt/format.h>

#include <string_view>

namespace ridestream::gateway {
namespace {

struct Text {
  int status;
  std::string_view what;
  std::string_view remedy;
};

Text TextOf(SignInFailure failure) {
  switch (failure) {
    case SignInFailure::kDenied:
      return {403, "The sign-in was cancelled or refused at the identity provider.",
              "Sign in again if you did not mean to cancel. If you did not cancel, ask the "
              "administrator whether your account may use this map."};
    case SignInFailure::kNotBegun:
      return {400,
              "This sign-in has expired, was already used, or was not begun in this browser. A "
              "later sign-in in another tab replaces an earlier one.",
              "Sign in again, and finish within 10 minutes. Allow this site to set cookies."};
    case SignInFailure::kOtherHost:
      return {400, "Signing in works only at the map's public address.",
              "Sign in at the public address, to which the link below leads. If it is wrong, ask "
              "the administrator, who sets it by the gateway's flag --public_url."};
    case SignInFailure::kProviderUnavailable:
      return {503, "The identity provider can't be reached, or does not answer as it should.",
              "Try again in a minute. If this continues, ask the administrator: the gateway's log "
              "has the reason."};
    case SignInFailure::kProviderRefused:
      return {403, "The identity provider did not accept this sign-in.",
              "Sign in again. If this continues, ask the administrator: the gateway's log has the "
              "reason."};
    case SignInFailure::kTokenRefused:
      return {403, "The identity provider's token was refused.",
              "Sign in again. If this continues, ask the administrator: the gateway's log has the "
              "reason."};
    case SignInFailure::kMisconfigured:
      return {500, "The gateway is not set up correctly for this identity provider.",
              "Ask the administrator: the gateway's log has the reason."};
    case SignInFailure::kBusy:
      break;
  }
  return {503, "Too many people are signing in at this moment.", "Try again in a minute."};
}

}  // namespace

Response SignInFailurePage(SignInFailure failure, const std::string& origin) {
  const Text text = TextOf(failure);
  return {.status = text.status,
          .headers = {{"content-type", "text/html; charset=utf-8"},
                      {"cache-control", "no-store"},
                      {"content-security-policy", "default-src 'none'; frame-ancestors 'none'"}},
          .body = Share(fmt::format(R"(<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="dark light" />
    <title>Ridestream: not signed in</title>
  </head>
  <body>
    <h1>You are not signed in</h1>
    <p>{}</p>
    <p>{}</p>
    <p><a href="{}/sign-in/start">Sign in again</a> or <a href="{}/">go to the map</a>.</p>
  </body>
</html>
)",
                                    text.what, text.remedy, origin, origin))};
}

}  // namespace ridestream::gateway
