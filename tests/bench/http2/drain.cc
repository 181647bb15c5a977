#include "tests/bench/http2/drain.h"

#include <fmt/format.h>
#include <nghttp2/nghttp2.h>

#include <csignal>
#include <random>
#include <utility>

#include "google/protobuf/descriptor.h"
#include "libs/process/local_services.h"
#include "libs/proto_values/proto_values.h"
#include "libs/roads/streets.h"
#include "libs/rpc/caller.h"
#include "libs/rpc/channel.h"
#include "ridestream/trip/v1/trip.grpc.pb.h"
#include "tests/bench/http2/bench_server.h"
#include "tests/bench/http2/frame_log.h"
#include "tests/bench/stream/bench_driver.h"

namespace ridestream::bench {
namespace {

using Wall = std::chrono::steady_clock;

/// The names of the Drive messages in a DATA frame: "position", "offer". Empty unless the frame
/// contains whole messages.
template <class Message>
std::string MessageNames(std::string_view payload) {
  constexpr std::size_t kPrefixBytes = 5;  // gRPC's: whether it is compressed, and its size.
  std::string names;
  while (payload.size() >= kPrefixBytes) {
    std::size_t size = 0;
    for (const char byte : payload.substr(1, 4))
      size = size << 8 | static_cast<unsigned char>(byte);
    if (payload.size() < kPrefixBytes + size) return "";
    Message message;
    if (!message.ParseFromArray(payload.data() + kPrefixBytes, static_cast<int>(size))) return "";
    const auto* field = message.GetReflection()->GetOneofFieldDescriptor(
        message, Message::descriptor()->FindOneofByName("message"));
    names +=
        fmt::format("{}{}", names.empty() ? "" : ", ", field == nullptr ? "empty" : field->name());
    payload.remove_prefix(kPrefixBytes + size);
  }
  return names;
}

std::string MessagesOf(const Frame& frame) {
  if (frame.type != NGHTTP2_DATA) return "";
  return frame.from_client ? MessageNames<dispatch::v1::DriveRequest>(frame.payload)
                           : MessageNames<dispatch::v1::DriveResponse>(frame.payload);
}

/// Determines why gRPC 1.51 sent a PING. All PINGs look alike, so this depends on the frames before
/// it: pass every frame of one connection, in order.
class PingPurpose {
 public:
  /// Empty unless the frame is a PING that requests an answer.
  std::string Of(const Frame& frame) {
    const auto silence = frame.at - std::exchange(last_, frame.at);
    if (frame.type == NGHTTP2_GOAWAY) going_away_ = true;
    if (frame.type != NGHTTP2_PING || (frame.flags & NGHTTP2_FLAG_ACK) != 0) return "";
    if (!frame.from_client && going_away_) return "between the GOAWAYs";
    // The client's timer starts when it last read something, shortly before this log sees its
    // answer.
    if (frame.from_client && silence > rpc::kInnerKeepalive.time - std::chrono::milliseconds(200)) {
      return fmt::format("{} after {:.1f} s of silence", kKeepalive,
                         std::chrono::duration<double>(silence).count());
    }
    // Sent when data has arrived, unless the previous one was sent a short time ago.
    return "bandwidth estimation";
  }

  static constexpr std::string_view kKeepalive = "keepalive";

 private:
  std::chrono::microseconds last_{0};
  bool going_away_ = false;
};

auto IsMessage(bool from_client, const std::string& name) {
  return [from_client, name](const Frame& frame) {
    return frame.from_client == from_client && MessagesOf(frame).find(name) != std::string::npos;
  };
}

/// One rider's request for a trip from `from` to `to`.
absl::Status RequestTrip(const std::string& trip, LatLng from, LatLng to) {
  const auto stub = trip::v1::TripService::NewStub(rpc::MakeChannel(trip));
  trip::v1::QuoteTripRequest quote_request;
  trip::v1::QuoteTripResponse quote;
  quote_request.set_market("city");
  quote_request.set_party_size(1);
  *quote_request.mutable_pickup() = ToProto(from);
  *quote_request.mutable_dropoff() = ToProto(to);
  const auto call = [](const std::string& name, const auto& run) {
    grpc::ClientContext context;
    rpc::SetCaller(context, {rpc::CallerKind::kRider, "ada"});
    rpc::SetTimeout(context, std::chrono::seconds(10));
    const grpc::Status status = run(&context);
    return status.ok() ? absl::OkStatus()
                       : absl::InternalError(name + ": " + status.error_message());
  };
  absl::Status status = call(
      "QuoteTrip", [&](auto* context) { return stub->QuoteTrip(context, quote_request, &quote); });
  if (!status.ok()) return status;
  trip::v1::RequestTripRequest request;
  trip::v1::RequestTripResponse response;
  request.set_request_id("http2-bench");
  request.set_quote_id(quote.quote_id());
  return call("RequestTrip",
              [&](auto* context) { return stub->RequestTrip(context, request, &response); });
}

void PrintTrace(const std::vector<Frame>& frames) {
  PingPurpose purpose;
  for (const Frame& frame : frames) {
    const std::string note = purpose.Of(frame) + MessagesOf(frame);
    Print(fmt::format("  {:>9.1f} ms  {}{}{}", static_cast<double>(frame.at.count()) / 1'000,
                      Describe(frame), note.empty() ? "" : "; ", note));
  }
}

absl::Status DriveUntilDrained(const process::LocalServices& system, FrameLog& log, LatLng from,
                               LatLng to) {
  const auto stub = dispatch::v1::DispatchService::NewStub(
      rpc::MakeChannel(log.address(), {.keepalive = rpc::kInnerKeepalive}));
  BenchDriver driver(*stub, {.id = "grace", .start = from});
  driver.WaitUntilWelcome();
  driver.Report();
  absl::Status status = log.WaitFor("a position", 1, IsMessage(true, "position"));
  if (status.ok()) status = RequestTrip(system.trip(), from, to);
  if (status.ok()) status = log.WaitFor("an offer", 1, IsMessage(false, "offer"));
  if (status.ok()) status = log.WaitFor("its answer", 1, IsMessage(true, "offer_answer"));
  PingPurpose purpose;
  bool asked = false;
  if (status.ok()) {
    status = log.WaitFor("the answer to a PING of keepalive", 1, [&](const Frame& frame) {
      if (purpose.Of(frame).starts_with(PingPurpose::kKeepalive)) asked = true;
      return asked && !frame.from_client && frame.type == NGHTTP2_PING;
    });
  }
  if (status.ok()) {
    system.process("dispatch").Signal(SIGTERM);
    status = log.WaitFor("a second GOAWAY", 2, [](const Frame& frame) {
      return !frame.from_client && frame.type == NGHTTP2_GOAWAY;
    });
  }
  driver.Stop();
  driver.WaitUntilDone();
  return status;
}

}  // namespace

absl::Status TraceDriver(const std::string& bin, nlohmann::json& figures) {
  const auto streets = roads::Streets::Load("city:1");
  if (!streets.ok()) return streets.status();
  std::mt19937_64 random(1);
  const LatLng from = roads::RandomPointOnStreet((*streets)->graph(), random);
  const LatLng to = roads::RandomPointOnStreet((*streets)->graph(), random);
  const auto system = process::LocalServices::Start({.bin = bin, .insecure = true});
  if (!system.ok()) return system.status();
  const auto log = FrameLog::Open((*system)->dispatch());
  if (!log.ok()) return log.status();
  Print("\nA driver's stream: connect, report, an offer, keepalive, and dispatch drains");
  const absl::Status status = DriveUntilDrained(**system, **log, from, to);
  const std::vector<Frame> frames = (*log)->frames();
  PrintTrace(frames);
  if (!status.ok()) return status;
  int goaways = 0;
  std::chrono::microseconds first{0};
  for (const Frame& frame : frames) {
    if (frame.from_client || frame.type != NGHTTP2_GOAWAY) continue;
    if (++goaways == 1) first = frame.at;
    figures["http2.drain.goaway_gap_ms"] = static_cast<double>((frame.at - first).count()) / 1'000;
  }
  figures["http2.drain.goaways"] = goaways;
  return absl::OkStatus();
}

absl::Status MeasureKeepalive(nlohmann::json& figures) {
  const auto server = StartBenchServer();
  if (!server.ok()) return server.status();
  const auto log = FrameLog::Open(server->address);
  if (!log.ok()) return log.status();
  const auto stub = dispatch::v1::DispatchService::NewStub(
      rpc::MakeChannel((*log)->address(), {.keepalive = rpc::kInnerKeepalive}));
  BenchDriver driver(*stub, {.id = "grace", .start = {}});
  driver.WaitUntilWelcome();
  const auto start = Wall::now();
  (*log)->gate().Silence();
  driver.Stop();  // None of it arrives.
  const grpc::Status noticed = driver.WaitUntilDone();
  const double seconds = std::chrono::duration<double>(Wall::now() - start).count();
  if (noticed.error_code() != grpc::StatusCode::UNAVAILABLE) {
    return absl::InternalError("the client noticed something else: " + noticed.error_message());
  }
  const auto bound =
      std::chrono::duration<double>(rpc::kInnerKeepalive.time + rpc::kInnerKeepalive.timeout)
          .count();
  Print(fmt::format(
      "\nA connection goes silent: the client notices after {:.2f} s (keepalive {} and {} "
      "ms): {}",
      seconds, rpc::kInnerKeepalive.time.count(), rpc::kInnerKeepalive.timeout.count(),
      noticed.error_message()));
  figures["http2.keepalive.noticed_s"] = seconds;
  figures["http2.keepalive.bound_s"] = bound;
  return absl::OkStatus();
}

}  // namespace ridestream::bench
