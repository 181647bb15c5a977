#include "tests/e2e/service_channel.h"

#include <gtest/gtest.h>

#include "libs/rpc/channel.h"
#include "libs/rpc/tls_credentials.h"
#include "libs/testing/status_matchers.h"

namespace ridestream::e2e {

std::shared_ptr<grpc::Channel> ConnectAs(const std::string& client, const std::string& authority,
                                         const std::string& server, const std::string& address) {
  const std::string files = authority + "/" + client;
  const auto loaded = rpc::TlsCredentials::Load({.certificate = files + ".pem",
                                                 .key = files + ".key",
                                                 .authorities = authority + "/authority.pem"});
  EXPECT_THAT(loaded, testing::IsOk());
  return rpc::MakeChannel(address,
                          {.credentials = loaded.ok() ? (*loaded)->ForChannel({server}) : nullptr});
}

}  // namespace ridestream::e2e
