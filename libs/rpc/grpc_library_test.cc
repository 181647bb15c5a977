#include "libs/rpc/grpc_library.h"

#include <gtest/gtest.h>
#include <link.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "grpcpp/grpcpp.h"

namespace ridestream::rpc {
namespace {

/// The path of the gRPC library that this process has mapped.
std::string MappedGrpc() {
  std::string path;
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* found) {
        if (std::string_view(info->dlpi_name).find("/libgrpc.so.") != std::string_view::npos) {
          *static_cast<std::string*>(found) = info->dlpi_name;
        }
        return 0;
      },
      &path);
  return path;
}

TEST(GrpcLibraryTest, TellsDebiansPackageFromTheBuildWithoutAssertions) {
  const std::string path = MappedGrpc();
  ASSERT_FALSE(path.empty());
  if (path.find("/ridestream/grpc-") != std::string::npos) {  // deploy/grpc/build
    EXPECT_EQ(LoadedGrpc(), grpc::Version() + ", assertions off");
  } else if (std::filesystem::exists("/etc/debian_version")) {
    EXPECT_EQ(LoadedGrpc(), grpc::Version() + ", assertions on") << path;
  } else {
    GTEST_SKIP() << "how " << path << " was built isn't known";
  }
}

}  // namespace
}  // namespace ridestream::rpc
