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

/// A text that no field of the API takes.
struct HostileText {
  std::string what;
  std::string text;
};
/// One of them is no UTF-8: the last.
const std::vector<HostileText>& HostileTexts();
inline constexpr std::string_view kNotUtf8 = "not UTF-8";

/// Single positions that can't be used are counted, and the batch goes on: see ReportPositions.
bool IsCountedOnly(const TextField& field);

/// UTF-8 that may be shown and logged as it is.
bool IsHarmless(std::string_view text);

/// The services, and what their logs have to be after a test.
class HostileTest : public ::testing::Test {
 protected:
  void SetUp() override;

  /// The caller, e.g. "rider/x-1", whom the method serves.
  std::string CallerOf(const google::protobuf::MethodDescriptor& method);
  /// One call by its bytes, see CallRaw, by a caller who proves to be "rider/x-1" by a token or
  /// "service/dispatch" by a certificate. Anything else is sent as a token.
  grpc::Status Call(const google::protobuf::MethodDescriptor& method, const std::string& caller,
                    const std::vector<std::string>& messages);
  /// "Bearer" and a token for the caller; what is no caller is the token.
  std::string Authorization(const std::string& caller);

  /// All services run, and what they have logged since SetUp is bounded and harmless.
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
