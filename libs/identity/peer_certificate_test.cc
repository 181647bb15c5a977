#include "libs/identity/peer_certificate.h"

#include "gtest/gtest.h"
#include "libs/identity/certificates.h"
#include "libs/identity/service_uri.h"
#include "libs/testing/status_matchers.h"

namespace ridestream::identity {
namespace {

using namespace std::chrono_literals;
using testing::IsOk;
using testing::StatusIs;

constexpr std::chrono::sys_seconds kToday =
    std::chrono::sys_days{std::chrono::November / 28 / 2026} + 10h;

KeyAndCertificate Authority() {
  return *MakeAuthority(
      {.common_name = "authority", .not_before = kToday - 1h, .not_after = kToday + 24h});
}

CertificateSpec Spec(std::vector<std::string> names = {"URI:" + ServiceUri("trip")}) {
  return {.common_name = "trip",
          .alternative_names = std::move(names),
          .not_before = kToday - 1h,
          .not_after = kToday + 1h};
}

TEST(PeerCertificateTest, ChecksEachCertificate) {
  const KeyAndCertificate authority = Authority();
  const KeyAndCertificate other = Authority();  // Of the same name.
  const auto issue = [&](const CertificateSpec& spec) {
    return IssueCertificate(authority, spec)->certificate_pem;
  };
  CertificateSpec expired = Spec();
  expired.not_after = kToday - 1s;
  CertificateSpec early = Spec();
  early.not_before = kToday + 1s;
  const std::string trip = "URI:" + ServiceUri("trip");
  struct Case {
    const char* name;
    std::string certificate;
    absl::StatusCode code;
    const char* reason;
  };
  constexpr auto kBad = absl::StatusCode::kUnauthenticated;
  const Case cases[] = {
      {"good", issue(Spec()), absl::StatusCode::kOk, ""},
      {"good with other names", issue(Spec({trip, "DNS:trip", "IP:127.0.0.1"})),
       absl::StatusCode::kOk, ""},
      {"of another authority", IssueCertificate(other, Spec())->certificate_pem, kBad,
       "isn't trusted"},
      {"signed by itself", MakeAuthority(Spec())->certificate_pem, kBad, "isn't trusted"},
      {"signed by a service",
       IssueCertificate(*IssueCertificate(authority, Spec()), Spec())->certificate_pem, kBad,
       "isn't trusted"},
      {"expired", issue(expired), kBad, "certificate has expired"},
      {"not yet valid", issue(early), kBad, "certificate is not yet valid"},
      {"without alternative names", issue(Spec({})), kBad, "no URI"},
      {"without a URI", issue(Spec({"DNS:trip"})), kBad, "no URI"},
      {"with two URIs", issue(Spec({trip, "URI:" + ServiceUri("dispatch")})), kBad,
       "more than one URI"},
      {"with a URI twice", issue(Spec({trip, trip})), kBad, "more than one URI"},
      {"of another domain", issue(Spec({"URI:spiffe://elsewhere/service/trip"})), kBad,
       "names no service"},
      {"with a longer path", issue(Spec({trip + "/x"})), kBad, "names no service"},
      {"of another service", issue(Spec({"URI:" + ServiceUri("location")})),
       absl::StatusCode::kPermissionDenied, "the peer is location"},
      {"no certificate", "", kBad, "can't be read"},
      {"rubbish", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", kBad,
       "can't be read"},
      {"two certificates", issue(Spec()) + issue(Spec()), kBad, "can't be read"},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.name);
    for (const PeerEnd end : {PeerEnd::kClient, PeerEnd::kServer}) {
      const auto service = VerifyPeerCertificate(test.certificate, "", authority.certificate_pem,
                                                 end, {"trip", "dispatch"}, kToday);
      EXPECT_THAT(service.status(), StatusIs(test.code, test.reason));
      EXPECT_EQ(service.value_or("trip"), "trip");
    }
  }
}

TEST(PeerCertificateTest, TrustsSeveralAuthoritiesDuringARotation) {
  const KeyAndCertificate before = Authority();
  const KeyAndCertificate after = Authority();
  const std::string both = before.certificate_pem + after.certificate_pem;
  for (const KeyAndCertificate& authority : {before, after}) {
    EXPECT_THAT(VerifyPeerCertificate(IssueCertificate(authority, Spec())->certificate_pem, "",
                                      both, PeerEnd::kClient, {"trip"}, kToday),
                IsOk());
  }
  EXPECT_THAT(VerifyPeerCertificate(IssueCertificate(before, Spec())->certificate_pem, "", "",
                                    PeerEnd::kClient, {"trip"}, kToday),
              StatusIs(absl::StatusCode::kUnauthenticated, "isn't trusted"));
}

// A peer can send any chain; it must not become trusted by being sent.
TEST(PeerCertificateTest, TrustsNoAuthorityThatThePeerSends) {
  const KeyAndCertificate ours = Authority();
  const KeyAndCertificate theirs = Authority();
  EXPECT_THAT(VerifyPeerCertificate(IssueCertificate(theirs, Spec())->certificate_pem,
                                    theirs.certificate_pem, ours.certificate_pem, PeerEnd::kClient,
                                    {"trip"}, kToday),
              StatusIs(absl::StatusCode::kUnauthenticated, "isn't trusted"));
}

TEST(OwnCertificateTest, IsCheckedBeforeItIsPresented) {
  const KeyAndCertificate authority = Authority();
  const KeyAndCertificate good = *IssueCertificate(authority, Spec());
  const KeyAndCertificate other = *IssueCertificate(authority, Spec());
  const KeyAndCertificate nameless = *IssueCertificate(authority, Spec({}));
  const std::string& roots = authority.certificate_pem;
  const auto service = CheckOwnCertificate(good.certificate_pem, good.key_pem, roots, kToday);
  ASSERT_THAT(service, IsOk());
  EXPECT_EQ(*service, "trip");

  struct Case {
    std::string certificate, key, authorities;
    std::chrono::sys_seconds now;
    const char* reason;
  };
  const Case cases[] = {
      {good.certificate_pem, other.key_pem, roots, kToday, "doesn't fit"},
      {good.certificate_pem, "", roots, kToday, "the key can't be read"},
      {good.certificate_pem, good.key_pem.substr(0, 100), roots, kToday, "the key can't be read"},
      {"", good.key_pem, roots, kToday, "the certificate can't be read"},
      {good.certificate_pem.substr(0, 200), good.key_pem, roots, kToday, "can't be read"},
      {good.certificate_pem, good.key_pem, "", kToday, "authorities"},
      {good.certificate_pem, good.key_pem, roots + roots.substr(0, 200), kToday, "authorities"},
      {good.certificate_pem, good.key_pem, roots, kToday + 2h, "has expired"},
      {good.certificate_pem, good.key_pem, roots, kToday - 2h, "isn't valid yet"},
      {nameless.certificate_pem, nameless.key_pem, roots, kToday, "no URI"},
  };
  for (const Case& test : cases) {
    EXPECT_THAT(CheckOwnCertificate(test.certificate, test.key, test.authorities, test.now),
                StatusIs(absl::StatusCode::kInvalidArgument, test.reason));
  }
}

}  // namespace
}  // namespace ridestream::identity
