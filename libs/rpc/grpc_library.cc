#include "libs/rpc/grpc_library.h"

#include <fmt/format.h>
#include <grpc/grpc.h>
#include <grpc/support/log.h>

#include "grpcpp/grpcpp.h"

namespace ridestream::rpc {
namespace {

/// Whether gRPC has a tracer that it only compiles with assertions: the one of the list of
/// outstanding operations. Turns that tracer off, and may print an error about its name unless
/// nothing is logged.
bool HasDebugTracer() { return grpc_tracer_set_enabled("pending_tags", 0) != 0; }

/// Found before main(): gRPC reads GRPC_TRACE later, and nobody else has set where it logs.
const std::string& FindLoadedGrpc() {
  static const std::string found = [] {
    gpr_set_log_function([](gpr_log_func_args*) {});
    const bool has_assertions = HasDebugTracer();
    gpr_set_log_function(nullptr);
    return fmt::format("{}, assertions {}", grpc::Version(), has_assertions ? "on" : "off");
  }();
  return found;
}
[[maybe_unused]] const std::string& g_found_before_main = FindLoadedGrpc();

}  // namespace

const std::string& LoadedGrpc() { return FindLoadedGrpc(); }

}  // namespace ridestream::rpc
