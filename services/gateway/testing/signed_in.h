#pragma once

#include <chrono>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>

#include "libs/base/clock.h"
#include "libs/identity/token_signer.h"
#include "libs/identity/token_verifier.h"
#include "libs/testing/temp_folder.h"
#include "services/gateway/credentials/browser_sessions.h"
#include "services/gateway/http/message.h"

namespace ridestream::gateway {

/// What a gateway needs to identify callers, with an issuer of its own. For tests.
struct SignedIn {
  static constexpr std::string_view kUrl = "http://gateway.test:7000";

  SignedIn() {
    std::ofstream(keys, std::ios::binary) << signer.PublicJwks();
    verifier = *identity::TokenVerifier::Start({.key_file = keys, .rules = rules}, clock);
    sessions = OtherSessions();
  }

  /// The sessions of another gateway with the same key.
  std::unique_ptr<BrowserSessions> OtherSessions(bool has_codes = true) const {
    auto others = *BrowserSessions::Make(
        *identity::TokenSigner::FromPrivateJwk(signer.PrivateJwk()), rules, clock, has_codes);
    others->SetUrl(std::string(kUrl));
    return others;
  }
  std::string Mint(const identity::Principal& caller,
                   std::chrono::seconds lifetime = std::chrono::hours(1)) const {
    return *signer.Mint(caller, rules, clock.Now(), lifetime);
  }
  /// The path and query of the address that opens the next session.
  std::string Target() const { return sessions->Address().substr(kUrl.size()); }
  std::string Code() const {
    const std::string target = Target();
    return target.substr(target.find('=') + 1);
  }
  Response SignIn(std::string_view method, std::string_view query, const Headers& headers = {}) {
    return sessions->SignIn({.method = std::string(method),
                             .path = std::string(BrowserSessions::kSignInPath),
                             .query = std::string(query),
                             .headers = headers,
                             .body = ""});
  }
  Response Redeem(std::string_view code, const Headers& headers = {}) {
    return SignIn("GET", "code=" + std::string(code), headers);
  }
  /// The headers of requests from a browser that opens a session now.
  Headers Open() {
    const Response response = Redeem(Code());
    const std::string_view cookie = response.headers.Get("set-cookie");
    return {{"cookie", "theme=dark; " + std::string(cookie.substr(0, cookie.find(';')))}};
  }

  ManualClock clock;
  const testing::TempFolder folder;
  const std::string keys = folder.File("jwks.json");
  const identity::TokenRules rules{.issuer = "test", .audience = "ridestream"};
  const identity::TokenSigner signer =
      *identity::TokenSigner::Generate(identity::Algorithm::kEs256, "key");
  std::unique_ptr<identity::TokenVerifier> verifier;
  std::unique_ptr<BrowserSessions> sessions;
};

}  // namespace ridestream::gateway
