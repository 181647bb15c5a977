#include "libs/rpc/grpc_log.h"

#include <fmt/format.h>
#include <grpc/support/log.h>

#include <atomic>
#include <cstdlib>
#include <string_view>

#include "libs/rpc/rate_limiter.h"
#include "libs/service/service.h"

namespace ridestream::rpc {
namespace {

service::Level ToLevel(gpr_log_severity severity) {
  switch (severity) {
    case GPR_LOG_SEVERITY_DEBUG:
      return service::Level::kDebug;
    case GPR_LOG_SEVERITY_INFO:
      return service::Level::kInfo;
    case GPR_LOG_SEVERITY_ERROR:
      break;
  }
  return service::Level::kError;
}

/// Peers can cause a message with each call, and the disk is finite.
constexpr double kMessagesPerS = 10;
constexpr double kMessagesAtOnce = 100;

std::atomic<std::uint64_t> dropped_messages = 0;

void Log(gpr_log_func_args* args) {
  // Never destroyed, because gRPC's threads outlive main().
  static RateLimiter& limiter =
      *new RateLimiter({.per_s = kMessagesPerS, .burst = kMessagesAtOnce});
  if (limiter.Take("", RateLimiter::Wall::now())) {
    ++dropped_messages;
    return;
  }
  const std::string_view path(args->file);
  const std::string_view file = path.substr(path.rfind('/') + 1);
  service::Log(ToLevel(args->severity), "grpc",
               {{"message", args->message}, {"at", fmt::format("{}:{}", file, args->line)}});
}

}  // namespace

void LogGrpcMessages() {
  // gRPC's threads outlive main(), but the logger doesn't.
  static const int at_exit = std::atexit([] { gpr_set_log_function(nullptr); });
  (void)at_exit;
  gpr_set_log_function(&Log);
}

std::uint64_t DroppedGrpcMessages() { return dropped_messages; }

}  // namespace ridestream::rpc
