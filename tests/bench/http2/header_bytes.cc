#include "tests/bench/http2/header_bytes.h"

#include <fmt/format.h>
#include <nghttp2/nghttp2.h>

#include <functional>
#include <string>

#include "libs/rpc/caller.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/request_id.h"
#include "ridestream/location/v1/location.grpc.pb.h"
#include "tests/bench/http2/bench_server.h"
#include "tests/bench/http2/frame_log.h"
#include "tests/bench/http2/ping_pong.h"

namespace ridestream::bench {
namespace {

constexpr std::size_t kCalls = 100;

struct HeaderCase {
  std::string name, title;
  std::function<void(grpc::ClientContext&, std::size_t call)> add;
};

/// Letters without repetition, like those of a signature.
std::string Opaque(std::size_t size, std::size_t seed) {
  std::string text(size, '\0');
  std::uint64_t state = seed + 1;
  for (char& letter : text) {
    state = state * 6'364'136'223'846'793'005u + 1'442'695'040'888'963'407u;
    letter = static_cast<char>('a' + (state >> 33) % 26);
  }
  return text;
}

std::vector<HeaderCase> HeaderCases() {
  const auto token = [](grpc::ClientContext& context, std::size_t) {
    context.AddMetadata("authorization", "Bearer " + Opaque(600, 0));
  };
  return {{"caller", "the caller's name",
           [](grpc::ClientContext& context, std::size_t) {
             rpc::SetCaller(context, {rpc::CallerKind::kOperator, "bench"});
           }},
          {"token", "a token of 600 bytes", token},
          {"token_and_id", "the token, and a new request id a call",
           [token](grpc::ClientContext& context, std::size_t call) {
             token(context, call);
             context.AddMetadata(rpc::kRequestIdKey, Opaque(32, call));
           }}};
}

absl::Status MeasureCase(const HeaderCase& which, const std::string& server,
                         nlohmann::json& figures) {
  // A log, and so a connection and its tables, of each case's own.
  const auto log = FrameLog::Open(server);
  if (!log.ok()) return log.status();
  const auto stub =
      location::v1::LocationService::NewStub(OwnConnections((*log)->address(), 1).front());
  for (std::size_t call = 0; call < kCalls; ++call) {
    grpc::ClientContext context;
    which.add(context, call);
    rpc::SetTimeout(context, std::chrono::seconds(10));
    location::v1::GetIndexStatsResponse response;
    const grpc::Status status = stub->GetIndexStats(&context, {}, &response);
    if (!status.ok()) return absl::InternalError("GetIndexStats: " + status.error_message());
  }
  const auto is_request = [](const Frame& frame) {
    return frame.from_client && !frame.headers.empty();
  };
  // The answer's first header block: the second is its trailers.
  const auto is_answer = [](const Frame& frame) {
    return !frame.from_client && !frame.headers.empty() && frame.headers.front().first == ":status";
  };
  for (const bool up : {true, false}) {
    const auto matches = [&](const Frame& frame) {
      return up ? is_request(frame) : is_answer(frame);
    };
    if (absl::Status status = (*log)->WaitFor("HEADERS", kCalls, matches); !status.ok())
      return status;
    std::vector<Frame> blocks;
    for (Frame& frame : (*log)->frames()) {
      if (matches(frame)) blocks.push_back(std::move(frame));
    }
    const std::size_t first = blocks[0].payload.size(), second = blocks[1].payload.size(),
                      last = blocks[kCalls - 1].payload.size(), plain = PlainBytes(blocks.back());
    Print(fmt::format("{:<42}{:<10}{:>7}{:>7}{:>8}{:>8}{:>10.1f}", which.title,
                      up ? "request" : "response", plain, first, second, last,
                      static_cast<double>(first) / static_cast<double>(last)));
    const std::string key =
        fmt::format("http2.headers.{}.{}_", which.name, up ? "request" : "response");
    figures[key + "plain"] = plain;
    figures[key + "first"] = first;
    figures[key + "second"] = second;
    figures[key + "hundredth"] = last;
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status MeasureHeaderBytes(nlohmann::json& figures) {
  const auto server = StartBenchServer();
  if (!server.ok()) return server.status();
  Print(fmt::format("\n{:<42}{:<10}{:>7}{:>7}{:>8}{:>8}{:>10}", "bytes of HEADERS", "", "plain",
                    "first", "second", "100th", "1st/100th"));
  for (const HeaderCase& which : HeaderCases()) {
    if (absl::Status status = MeasureCase(which, server->address, figures); !status.ok())
      return status;
  }
  return absl::OkStatus();
}

}  // namespace ridestream::bench
