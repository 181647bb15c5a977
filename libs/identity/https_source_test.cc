#include "libs/identity/https_source.h"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "libs/identity/certificates.h"
#include "libs/identity/testing/https_server.h"
#include "libs/identity/token_signer.h"
#include "libs/identity/token_verifier.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_folder.h"

namespace ridestream::identity {
namespace {

using namespace std::chrono_literals;
using testing::IsOk;
using testing::StatusIs;

constexpr auto kUnavailable = absl::StatusCode::kUnavailable;

CertificateSpec IssuerSpec(std::vector<std::string> names = {"IP:127.0.0.1"}) {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  return {.common_name = "issuer",
          .alternative_names = std::move(names),
          .not_before = now - 1h,
          .not_after = now + 1h};
}

class HttpsSourceTest : public ::testing::Test {
 protected:
  HttpsSourceTest() {
    std::signal(SIGPIPE, SIG_IGN);  // Clients may disconnect while the server is answering.
    std::ofstream(authorities_) << authority_.certificate_pem;
  }

  std::unique_ptr<HttpsSource> Source(const std::string& url) const {
    auto source = HttpsSource::Make(
        {.url = url, .authorities = authorities_, .max_bytes = 1'000, .timeout = 20s});
    EXPECT_THAT(source, IsOk());
    return *std::move(source);
  }

  const testing::TempFolder folder_;
  const std::string authorities_ = folder_.File("authorities.pem");
  const KeyAndCertificate authority_ = *MakeAuthority(IssuerSpec({}));
  HttpsServer server_{*IssueCertificate(authority_, IssuerSpec())};
};

TEST_F(HttpsSourceTest, FetchesWhatTheUrlAnswers) {
  const auto source = Source(server_.url());
  for (const std::string& body : {std::string("one"), std::string(), std::string(1'000, 'x')}) {
    server_.Answer("200 OK", body);
    const auto fetched = source->Fetch();
    ASSERT_THAT(fetched, IsOk());
    EXPECT_EQ(*fetched, body);
  }
}

TEST_F(HttpsSourceTest, RefusesEveryOtherAnswer) {
  const auto source = Source(server_.url());
  server_.Answer("404 Not Found", "no");
  EXPECT_THAT(source->Fetch(), StatusIs(kUnavailable, "the status 404"));
  HttpsServer elsewhere(*IssueCertificate(authority_, IssuerSpec()));
  elsewhere.Answer("200 OK", "keys of somebody else");
  server_.Answer("302 Found", "", "location: " + elsewhere.url() + "\r\n");
  EXPECT_THAT(source->Fetch(), StatusIs(kUnavailable, "the status 302"));
  EXPECT_EQ(elsewhere.requests(), 0);
  server_.Answer("200 OK", std::string(1'001, 'x'));
  EXPECT_THAT(source->Fetch(),
              StatusIs(absl::StatusCode::kResourceExhausted, "longer than 1000 bytes"));
  server_.Answer("200 OK", "fine again");
  EXPECT_THAT(source->Fetch(), IsOk());
}

TEST_F(HttpsSourceTest, RejectsServersWithoutATrustedCertificate) {
  HttpsServer foreign(*IssueCertificate(*MakeAuthority(IssuerSpec({})), IssuerSpec()));
  HttpsServer misnamed(*IssueCertificate(authority_, IssuerSpec({"DNS:elsewhere"})));
  CertificateSpec expired = IssuerSpec();
  expired.not_after = expired.not_before + 1s;
  HttpsServer late(*IssueCertificate(authority_, expired));
  for (HttpsServer* server : {&foreign, &misnamed, &late}) {
    server->Answer("200 OK", "keys");
    EXPECT_THAT(Source(server->url())->Fetch(), StatusIs(kUnavailable, "can't be fetched: SSL"));
    EXPECT_EQ(server->requests(), 0);
  }
}

TEST_F(HttpsSourceTest, AcceptsOnlyHttps) {
  for (const char* url : {"http://127.0.0.1/jwks", "file:///etc/passwd", "", "/run/jwks.json"}) {
    EXPECT_THAT(HttpsSource::Make({.url = url}).status(),
                StatusIs(absl::StatusCode::kInvalidArgument, "is not an https URL"));
  }
}

TEST_F(HttpsSourceTest, GivesUpOnASilentServer) {
  const auto source = HttpsSource::Make({.url = server_.url(),
                                         .authorities = authorities_,
                                         .timeout = std::chrono::milliseconds(500)});
  ASSERT_THAT(source, IsOk());
  EXPECT_THAT((*source)->Fetch(), StatusIs(kUnavailable, "timed out"));
}

TEST_F(HttpsSourceTest, StopEndsAFetch) {
  const auto source = Source(server_.url());
  std::thread fetch([&] { EXPECT_THAT(source->Fetch(), StatusIs(kUnavailable, "abort")); });
  while (server_.requests() == 0) std::this_thread::yield();
  source->Stop();
  fetch.join();
}

TEST_F(HttpsSourceTest, AVerifierKeepsTheKeysThatItHasWhileTheUrlFails) {
  const TokenSigner before = *TokenSigner::Generate(Algorithm::kEs256, "before");
  const TokenSigner after = *TokenSigner::Generate(Algorithm::kEs256, "after");
  const TokenRules rules{"issuer", "ridestream"};
  const ScaledClock clock;
  const auto mint = [&](const TokenSigner& signer) {
    return *signer.Mint({Role::kRider, "ada"}, rules, clock.Now(), 10min);
  };
  const auto start = [&] {
    return TokenVerifier::Start({.key_file = server_.url(),
                                 .key_authorities = authorities_,
                                 .rules = rules,
                                 .fetch_every = 1ms},
                                clock);
  };
  server_.Answer("503 Service Unavailable", "");
  EXPECT_THAT(start().status(), StatusIs(kUnavailable, server_.url() + ": answers with"));

  server_.Answer("200 OK", before.PublicJwks());
  const auto verifier = start();
  ASSERT_THAT(verifier, IsOk());
  EXPECT_THAT((*verifier)->Verify(mint(before)), IsOk());
  EXPECT_FALSE((*verifier)->stale());
  for (const auto& [status, body] :
       {std::pair("500 Internal Server Error", after.PublicJwks()),
        std::pair("200 OK", std::string("rubbish")), std::pair("200 OK", std::string("{}"))}) {
    server_.Answer(status, body);
    const std::uint64_t failures = (*verifier)->failures();
    // ctest's timeout bounds the loop.
    while ((*verifier)->failures() < failures + 2) std::this_thread::yield();
    EXPECT_TRUE((*verifier)->stale());
    EXPECT_THAT((*verifier)->Verify(mint(before)), IsOk());
  }
  server_.Answer("200 OK", after.PublicJwks());
  while (!(*verifier)->Verify(mint(after)).ok()) std::this_thread::yield();
  while ((*verifier)->stale()) std::this_thread::yield();
  EXPECT_THAT((*verifier)->Verify(mint(before)),
              StatusIs(absl::StatusCode::kUnauthenticated, "'kid'"));
  // A hanging fetch must not delay the verifier's destruction.
  server_.KeepSilent();
}

}  // namespace
}  // namespace ridestream::identity
