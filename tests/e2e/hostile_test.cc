#include "tests/e2e/hostile_test.h"

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "absl/strings/escaping.h"
#include "absl/strings/str_split.h"
#include "libs/base/clock.h"
#include "libs/base/utf8.h"
#include "libs/base/validation.h"
#include "libs/identity/development_authority.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/development_security.h"
#include "libs/testing/status_matchers.h"
#include "tests/e2e/raw_call.h"

namespace ridestream::e2e {

using google::protobuf::MethodDescriptor;

const std::vector<HostileText>& HostileTexts() {
  static const std::vector<HostileText> texts = {
      {"a megabyte", std::string(1'000'000, 'x')},
      {"ten kilobytes", std::string(10'000, 'x')},
      {"NUL", std::string("a\0b", 3)},
      {"a terminal's escape", "a\x1b[2Jb"},
      {"a further log line", "a\r\nI trip forged=1\nb"},
      {"a line of Unicode", "a\u2028b\u0085c"},
      {"another direction", "a\u202eb\u2066c"},
      {std::string(kNotUtf8), "a\xff\xc3(b"},
  };
  return texts;
}

bool IsCountedOnly(const TextField& field) {
  return field.back()->full_name() == "ridestream.location.v1.PositionReport.driver_id";
}

bool IsHarmless(std::string_view text) {
  while (!text.empty()) {
    const auto c = TakeCodePoint(text);
    if (!c || IsForbiddenInText(*c)) return false;
  }
  return true;
}

void HostileTest::SetUp() {
  const char* bin = std::getenv("RIDESTREAM_BIN");
  ASSERT_NE(bin, nullptr) << "run by ctest, or set RIDESTREAM_BIN to the folder of the binaries";
  // One caller makes all the calls.
  auto system = process::LocalServices::Start({.bin = bin,
                                               .trip_flags = {"--max_calls_per_s=0"},
                                               .dispatch_flags = {"--max_calls_per_s=0"},
                                               .gateway = true});
  ASSERT_THAT(system, testing::IsOk());
  ASSERT_THAT(rpc::UseDevelopmentAuthority((*system)->authority()), testing::IsOk());
  system_ = *std::move(system);
  for (const std::string& service : system_->names()) log_sizes_[service] = LogOf(service).size();
}

std::string HostileTest::LogOf(const std::string& service) const {
  std::ifstream log(system_->process(service).log_path());
  return {std::istreambuf_iterator<char>(log), std::istreambuf_iterator<char>()};
}

std::shared_ptr<grpc::Channel> HostileTest::Connect(const MethodDescriptor& method,
                                                    const std::string& client) {
  auto& credentials = credentials_[client];
  if (credentials == nullptr) {
    const std::string folder = system_->authority() + "/";
    auto loaded = rpc::TlsCredentials::Load({.certificate = folder + client + ".pem",
                                             .key = folder + client + ".key",
                                             .authorities = folder + "authority.pem"});
    EXPECT_THAT(loaded, testing::IsOk());
    credentials = *std::move(loaded);
  }
  const std::string package = method.file()->package();
  const std::string server = package == "ridestream.dispatch.v1"   ? "dispatch"
                             : package == "ridestream.location.v1" ? "location"
                                                                   : "trip";
  return rpc::MakeChannel(system_->process(server).Announced("address"),
                          {.credentials = credentials->ForChannel({server})});
}

std::string HostileTest::Authorization(const std::string& caller) {
  std::string& authorization = authorizations_[caller];
  if (authorization.empty()) {
    const auto principal = identity::ParsePrincipal(caller);
    const auto token = principal.ok() ? identity::DevelopmentAuthority::MintToken(
                                            system_->authority(), *principal, ScaledClock().Now(),
                                            std::chrono::hours(1))
                                      : caller;
    EXPECT_THAT(token, testing::IsOk());
    authorization = "Bearer " + token.value_or("");
  }
  return authorization;
}

grpc::Status HostileTest::Call(const MethodDescriptor& method, const std::string& caller,
                               const std::vector<std::string>& messages) {
  constexpr std::string_view kService = "service/";
  if (caller.starts_with(kService)) {
    const std::string service = caller.substr(kService.size());
    return CallRaw(Connect(method, service), method, {}, messages);
  }
  return CallRaw(Connect(method, "loadtest"), method, {{"authorization", Authorization(caller)}},
                 messages);
}

std::string HostileTest::CallerOf(const MethodDescriptor& method) {
  const std::string sample = api_.Sample(*method.input_type())->SerializeAsString();
  for (const char* caller : {"operator/x-1", "rider/x-1", "driver/x-1", "service/dispatch"}) {
    const auto code = Call(method, caller, {sample}).error_code();
    if (code != grpc::StatusCode::PERMISSION_DENIED) return caller;
  }
  ADD_FAILURE() << method.full_name() << " serves nobody";
  return "";
}

void HostileTest::ExpectAliveWithCleanLogs(std::size_t calls) const {
  EXPECT_TRUE(system_->Ended().empty());
  for (const auto& [service, size_before] : log_sizes_) {
    const std::string log = LogOf(service).substr(size_before);
    EXPECT_LE(log.size(), calls * 3'000 + 50'000) << service;
    for (const absl::string_view line : absl::StrSplit(log, '\n')) {
      EXPECT_TRUE(IsHarmless({line.data(), line.size()})) << service << absl::CHexEscape(line);
      EXPECT_LE(line.size(), 4'000u) << service << line.substr(0, 100);
      EXPECT_NE(line, "I trip forged=1") << service;
    }
  }
}

}  // namespace ridestream::e2e
