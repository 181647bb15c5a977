#include "libs/identity/development_authority.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <filesystem>
#include <memory>

#include "gtest/gtest.h"
#include "libs/identity/certificates.h"
#include "libs/identity/peer_certificate.h"
#include "libs/identity/reloaded_file.h"
#include "libs/identity/token_verifier.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_folder.h"

namespace ridestream::identity {
namespace {

using namespace std::chrono_literals;
using testing::IsOk;
using testing::StatusIs;

using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

Certificate ReadCertificate(const std::string& pem) {
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  Certificate certificate(PEM_read_bio_X509(bio, nullptr, nullptr, nullptr), &X509_free);
  BIO_free(bio);
  return certificate;
}

std::string Content(const std::string& path) {
  const auto content = ReadWholeFile(path, 1 << 20);
  EXPECT_THAT(content, IsOk()) << path;
  return content.ok() ? *content : "";
}

class DevelopmentAuthorityTest : public ::testing::Test {
 protected:
  absl::Status Create() {
    return DevelopmentAuthority::Create(folder_, {.services = {"trip", "dispatch"}}, clock_.Now());
  }

  const testing::TempFolder temp_;
  const std::string folder_ = temp_.File("authority");
  ManualClock clock_;
};

TEST_F(DevelopmentAuthorityTest, MakesCertificatesThatItsAuthoritySigned) {
  ASSERT_THAT(Create(), IsOk());
  const Certificate authority = ReadCertificate(Content(folder_ + "/authority.pem"));
  ASSERT_NE(authority, nullptr);
  EXPECT_EQ(X509_check_ca(authority.get()), 1);
  for (const char* service : {"trip", "dispatch"}) {
    const Certificate certificate = ReadCertificate(Content(folder_ + "/" + service + ".pem"));
    ASSERT_NE(certificate, nullptr);
    EXPECT_EQ(X509_check_ca(certificate.get()), 0);
    EXPECT_EQ(X509_check_issued(authority.get(), certificate.get()), X509_V_OK);
    EXPECT_EQ(X509_verify(certificate.get(), X509_get0_pubkey(authority.get())), 1);
    EXPECT_EQ(X509_check_host(certificate.get(), service, 0, 0, nullptr), 1);
    EXPECT_EQ(X509_check_ip_asc(certificate.get(), "127.0.0.1", 0), 1);
  }
}

TEST_F(DevelopmentAuthorityTest, GivesProcessesOfOneServiceCertificatesOfTheirOwn) {
  ASSERT_THAT(DevelopmentAuthority::Create(
                  folder_, {.services = {"dispatch-porto=dispatch", "dispatch-lisbon=dispatch"}},
                  clock_.Now()),
              IsOk());
  EXPECT_NE(Content(folder_ + "/dispatch-porto.key"), Content(folder_ + "/dispatch-lisbon.key"));
  const Certificate porto = ReadCertificate(Content(folder_ + "/dispatch-porto.pem"));
  ASSERT_NE(porto, nullptr);
  EXPECT_EQ(X509_check_host(porto.get(), "dispatch-porto", 0, 0, nullptr), 1);
  EXPECT_EQ(X509_check_host(porto.get(), "dispatch-lisbon", 0, 0, nullptr), 0);
  const auto service = CheckOwnCertificate(
      Content(folder_ + "/dispatch-porto.pem"), Content(folder_ + "/dispatch-porto.key"),
      Content(folder_ + "/authority.pem"), std::chrono::floor<std::chrono::seconds>(clock_.Now()));
  ASSERT_THAT(service, IsOk());
  EXPECT_EQ(*service, "dispatch");
}

TEST_F(DevelopmentAuthorityTest, KeepsItsFilesFromOthers) {
  ASSERT_THAT(Create(), IsOk());
  struct stat status {};
  ASSERT_EQ(stat(folder_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    ASSERT_EQ(stat(entry.path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u) << entry.path();
    ++files;
  }
  EXPECT_EQ(files, 1 + 2 * 2 + 3);  // And nothing temporary, nor the authority's key.
}

TEST_F(DevelopmentAuthorityTest, MintsTokensThatAVerifierTakes) {
  ASSERT_THAT(Create(), IsOk());
  const Principal driver{Role::kDriver, "d-1", "manhattan"};
  const auto token = DevelopmentAuthority::MintToken(folder_, driver, clock_.Now(), 1h);
  ASSERT_THAT(token, IsOk());
  const auto verifier = TokenVerifier::Start({.key_file = folder_ + "/jwks.json",
                                              .revocation_file = folder_ + "/revoked",
                                              .rules = DevelopmentTokenRules()},
                                             clock_);
  ASSERT_THAT(verifier, IsOk());
  const auto claims = (*verifier)->Verify(*token);
  ASSERT_THAT(claims, IsOk());
  EXPECT_EQ(claims->principal, driver);

  // A new authority has a new key.
  ASSERT_THAT(Create(), IsOk());
  (*verifier)->Reload();
  EXPECT_THAT((*verifier)->Verify(*token), StatusIs(absl::StatusCode::kUnauthenticated, "'kid'"));
}

TEST_F(DevelopmentAuthorityTest, RefusesToMintTokensForInvalidPrincipals) {
  EXPECT_THAT(DevelopmentAuthority::MintToken(folder_, {Role::kRider, "ada"}, clock_.Now(), 1h),
              StatusIs(absl::StatusCode::kNotFound, "tokens.jwk"));
  ASSERT_THAT(Create(), IsOk());
  for (const Principal& principal :
       {Principal{Role::kService, "trip"}, Principal{Role::kRider, ""},
        Principal{Role::kRider, "a b"}, Principal{Role::kRider, "ada", "man hattan"}}) {
    EXPECT_THAT(DevelopmentAuthority::MintToken(folder_, principal, clock_.Now(), 1h),
                StatusIs(absl::StatusCode::kInvalidArgument, ""));
  }
  for (const char* name : {"../trip", "../trip=trip", "trip=../trip", "trip=", "=trip", "a=b=c"}) {
    EXPECT_THAT(DevelopmentAuthority::Create(folder_, {.services = {name}}, clock_.Now()),
                StatusIs(absl::StatusCode::kInvalidArgument, ""))
        << name;
  }
}

TEST(ParsePrincipalTest, TakesARoleAndAnId) {
  const auto rider = ParsePrincipal("rider/ada");
  ASSERT_THAT(rider, IsOk());
  EXPECT_EQ(*rider, (Principal{Role::kRider, "ada"}));
  for (const char* other : {"", "ada", "rider", "rider/", "/ada", "service/trip", "rider/a/b",
                            "Rider/ada", "rider/a b"}) {
    EXPECT_THAT(ParsePrincipal(other), StatusIs(absl::StatusCode::kInvalidArgument, "")) << other;
  }
}

}  // namespace
}  // namespace ridestream::identity
