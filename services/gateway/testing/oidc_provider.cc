#include "services/gateway/testing/oidc_provider.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <openssl/sha.h>

#include <fstream>
#include <map>
#include <utility>

#include "absl/strings/escaping.h"
#include "libs/identity/certificates.h"
#include "libs/identity/https_client.h"
#include "libs/testing/status_matchers.h"
#include "services/gateway/http/query.h"
#include "services/gateway/testing/test_client.h"

namespace ridestream::gateway {
namespace {

using nlohmann::json;

constexpr char kDiscoveryPath[] = "/.well-known/openid-configuration";

std::map<std::string, std::string> ReadForm(const std::string& text) {
  const auto fields = ParseQuery(text);
  return {fields.begin(), fields.end()};
}

Response Json(int status, const json& body) {
  return {.status = status,
          .headers = {{"content-type", "application/json"}},
          .body = Share(body.dump())};
}

json Replaced(json members, const json& replacements) {
  for (const auto& [name, value] : replacements.items()) {
    if (value.is_null()) {
      members.erase(name);
    } else {
      members[name] = value;
    }
  }
  return members;
}

std::string ChallengeOf(const std::string& verifier) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(verifier.data()), verifier.size(), digest);
  return absl::WebSafeBase64Escape(
      absl::string_view(reinterpret_cast<const char*>(digest), sizeof digest));
}

identity::TokenSigner NewSigner() {
  return *identity::TokenSigner::Generate(identity::Algorithm::kEs256, *identity::RandomId());
}

}  // namespace

TestOidcProvider::TestOidcProvider(const Clock& clock) : clock_(clock), signer_(NewSigner()) {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const std::chrono::hours hour(1);
  const auto authority = identity::MakeAuthority(
      {.common_name = "authority", .not_before = now - hour, .not_after = now + hour});
  const auto issued = identity::IssueCertificate(*authority, {.common_name = "provider",
                                                              .alternative_names = {"IP:127.0.0.1"},
                                                              .not_before = now - hour,
                                                              .not_after = now + hour});
  std::ofstream(authorities()) << authority->certificate_pem;
  std::ofstream(folder_.File("provider.pem")) << issued->certificate_pem << issued->key_pem;
  std::ofstream(secret_file()) << kSecret << "\n";
  certificate_ = *HttpsCertificate::Load(folder_.File("provider.pem"));
  auto server = HttpServer::Start(
      {.certificate = certificate_.get(),
       .handler = [this](const std::shared_ptr<Exchange>& exchange) { Serve(exchange); }});
  EXPECT_THAT(server, testing::IsOk());
  server_ = *std::move(server);
  MutexLock lock(mu_);
  issuer_ = fmt::format("https://127.0.0.1:{}", server_->port());
}

void TestOidcProvider::Close() {
  std::vector<std::shared_ptr<Exchange>> unanswered;  // They end before their server.
  {
    MutexLock lock(mu_);
    unanswered.swap(unanswered_);
    is_closed_ = true;
  }
  unanswered.clear();
  server_.reset();
}

std::string TestOidcProvider::issuer() const {
  MutexLock lock(mu_);
  return issuer_;
}

void TestOidcProvider::Set(Behavior behavior) {
  MutexLock lock(mu_);
  behavior_ = std::move(behavior);
}

void TestOidcProvider::RotateKey() {
  MutexLock lock(mu_);
  signer_ = NewSigner();
}

int TestOidcProvider::requests(const std::string& path) const {
  MutexLock lock(mu_);
  const auto found = requests_.find(path);
  return found == requests_.end() ? 0 : found->second;
}

std::string TestOidcProvider::SignIn(const std::string& location) {
  const std::string origin = issuer();
  EXPECT_EQ(location.substr(0, origin.size()), origin);
  std::ifstream file(authorities());
  const std::string authority{std::istreambuf_iterator<char>(file), {}};
  const auto answer =
      TestClient(server_->port(), authority).Call("GET", location.substr(origin.size()));
  EXPECT_EQ(answer.status, 303) << answer.body;
  const std::string callback(answer.headers.Get("location"));
  const std::size_t path = callback.find('/', callback.find("//") + 2);
  return path == std::string::npos ? std::string() : callback.substr(path);
}

void TestOidcProvider::Serve(const std::shared_ptr<Exchange>& exchange) {
  const Request& request = exchange->request();
  MutexLock lock(mu_);
  ++requests_[request.path];
  const auto send = [&](int status, Response response) {
    if (status != 0) response.status = status;
    exchange->Send(std::move(response));
  };
  if (request.path == kDiscoveryPath) return send(behavior_.discovery_status, Discovery());
  if (request.path == "/authorize") return send(0, Authorize(request.query));
  if (request.path == "/keys") {
    return send(behavior_.keys_status, Json(200, json::parse(signer_.PublicJwks())));
  }
  if (request.path != "/token") return send(404, {});
  if (!behavior_.is_silent) return send(behavior_.token_status, Token(request));
  // A client may try again over a new connection before the server ends. An exchange that is kept
  // then would keep the server from ending.
  if (is_closed_) return;
  unanswered_.push_back(exchange);
  token_requested.Happen();
}

Response TestOidcProvider::Discovery() {
  return Json(200, Replaced({{"issuer", issuer_},
                             {"authorization_endpoint", issuer_ + "/authorize"},
                             {"token_endpoint", issuer_ + "/token"},
                             {"jwks_uri", issuer_ + "/keys"},
                             {"response_types_supported", {"code"}}},
                            behavior_.discovery));
}

Response TestOidcProvider::Authorize(const std::string& query) {
  auto fields = ReadForm(query);
  if (fields["response_type"] != "code" || fields["client_id"] != kClientId ||
      fields["code_challenge_method"] != "S256" || fields["code_challenge"].size() != 43 ||
      fields["scope"] != "openid") {
    return Json(400, {{"error", "invalid_request"}});
  }
  std::string location = fields["redirect_uri"] + "?state=" + fields["state"];
  if (!behavior_.error.empty()) {
    location += "&error=" + behavior_.error + "&error_description=%3Cscript%3E";
  } else {
    const std::string code = *identity::RandomId();
    codes_[code] = {fields["code_challenge"], fields["nonce"], fields["redirect_uri"]};
    location += "&code=" + code;
  }
  return {.status = 303, .headers = {{"location", location}}};
}

Response TestOidcProvider::Token(const Request& request) {
  auto fields = ReadForm(request.body);
  std::string basic;
  absl::Base64Escape(fmt::format("{}:{}", identity::EncodeFormValue(kClientId),
                                 identity::EncodeFormValue(kSecret)),
                     &basic);
  const bool is_client = request.headers.Get("authorization") == "Basic " + basic ||
                         (fields["client_id"] == kClientId && fields["client_secret"] == kSecret);
  if (!is_client) return Json(401, {{"error", "invalid_client"}});
  const auto code = codes_.find(fields["code"]);
  if (fields["grant_type"] != "authorization_code" || code == codes_.end() ||
      code->second.redirect_uri != fields["redirect_uri"] ||
      code->second.challenge != ChallengeOf(fields["code_verifier"])) {
    return Json(400, {{"error", "invalid_grant"}});
  }
  const std::string token = IdToken(code->second);
  codes_.erase(code);
  return Json(200, {{"access_token", "unused"}, {"token_type", "Bearer"}, {"id_token", token}});
}

std::string TestOidcProvider::IdToken(const IssuedCode& code) {
  if (!behavior_.id_token.empty()) return behavior_.id_token;
  const auto now =
      std::chrono::floor<std::chrono::seconds>(clock_.Now()).time_since_epoch().count();
  const json claims = Replaced({{"iss", issuer_},
                                {"aud", kClientId},
                                {"iat", now},
                                {"exp", now + 300},
                                {"nonce", code.nonce}},
                               behavior_.claims);
  return *signer_.Sign(behavior_.token_header, claims.dump());
}

}  // namespace ridestream::gateway
