#include "deploy/healthprobe/check_health.h"

#include <fmt/format.h>

#include <future>
#include <utility>

#include "google/protobuf/wrappers.pb.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/impl/codegen/proto_utils.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/status.h"

namespace ridestream {
namespace {

// Debian doesn't package the health service's stubs. Its request is one string in field 1 and its
// answer one enum in field 1, so on the wire they are these well-known wrappers.
using Request = google::protobuf::StringValue;
using Response = google::protobuf::Int32Value;
constexpr char kMethod[] = "/grpc.health.v1.Health/Check";
constexpr int kServing = 1;

}  // namespace

absl::Status CheckHealth(const std::string& address, std::chrono::milliseconds timeout) {
  grpc::TemplatedGenericStub<Request, Response> stub(rpc::MakeChannel(address));
  grpc::ClientContext context;
  rpc::SetTimeout(context, timeout);
  const Request whole_server;
  Response response;
  std::promise<grpc::Status> answered;
  stub.UnaryCall(&context, kMethod, {}, &whole_server, &response,
                 [&answered](grpc::Status status) { answered.set_value(std::move(status)); });
  const grpc::Status status = answered.get_future().get();
  if (!status.ok()) return rpc::FromGrpcStatus(status);
  if (response.value() != kServing) {
    return absl::UnavailableError(
        fmt::format("{} is not serving (health status {})", address, response.value()));
  }
  return absl::OkStatus();
}

}  // namespace ridestream
