#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "grpcpp/grpcpp.h"
#include "libs/process/local_services.h"
#include "libs/rpc/tls_credentials.h"
#include "tests/e2e/api.h"

namespace ridestream::e2e {

/// A text that no field of the API accepts.
struct HostileText {
  std::string what;
  std::string text;
};
/// The last one isn't UTF-8.
const std::vector<HostileText>& HostileTexts();
inline constexpr std::string_view kNotUtf8 = "not UTF-8";

/// Unusable single positions are counted, and the batch continues: see ReportPositions.
bool IsCountedOnly(const TextField& field);

/// Whether the text is UTF-8 that may be displayed and logged unchanged.
bool IsHarmless(std::string_view text);

/// The services, with checks of their logs after a test.
class HostileTest : public ::testing::Test {
 protected:
  void SetUp() override;

  /// The caller, e.g. "rider/x-1", whom the method serves.
  std::string CallerOf(const google::protobuf::MethodDescriptor& method);
  /// Makes one call by its bytes, see CallRaw, for a caller who is proven to be "rider/x-1" by a
  /// token or "service/dispatch" by a certificate. Any other text is sent as a token.
  grpc::Status Call(const google::protobuf::MethodDescriptor& method, const std::string& caller,
                    const std::vector<std::string>& messages);
  /// "Bearer" and a token for the caller; text that names no caller is used as the token.
  std::string Authorization(const std::string& caller);

  /// Expects that all services run, and that their logs since SetUp are bounded and harmless.
  void ExpectAliveWithCleanLogs(std::size_t calls) const;

  std::unique_ptr<process::LocalServices> system_;
  Api api_;

 private:
  /// A connection to the service that has the method, with the certificate of `client`.
  std::shared_ptr<grpc::Channel> Connect(const google::protobuf::MethodDescriptor& method,
                                         const std::string& client);
  std::string LogOf(const std::string& service) const;

  std::map<std::string, std::unique_ptr<rpc::TlsCredentials>> credentials_;  // By client.
  std::map<std::string, std::string> authorizations_;                        // By caller.
  std::map<std::string, std::size_t> log_sizes_;
};

}  // namespace ridestream::e2e
