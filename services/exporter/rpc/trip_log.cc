#include "services/exporter/rpc/trip_log.h"

#include <utility>

#include "libs/rpc/caller.h"
#include "libs/rpc/status.h"
#include "libs/service/service.h"

namespace ridestream::exporter {
namespace {

const rpc::Caller kSelf{rpc::CallerKind::kService, "exporter"};

}  // namespace

TripLog::TripLog(std::vector<std::string> markets, trip::v1::TripService::StubInterface& trip,
                 TimerQueue& timers, EventQueue& queue)
    : markets_(std::move(markets)), trip_(trip), timers_(timers), queue_(queue) {}

void TripLog::FollowAfter(std::uint64_t sequence) {
  Stop();
  sequence_ = sequence;
  is_connected_.reset();
  stream_ = std::make_unique<Stream>(
      timers_, Stream::Options{.open =
                                   [this](auto* context, auto* request, auto* reactor) {
                                     rpc::SetCaller(*context, kSelf);
                                     request->mutable_markets()->Assign(markets_.begin(),
                                                                        markets_.end());
                                     request->set_after_sequence(sequence_);
                                     trip_.async()->FollowTrips(context, request, reactor);
                                   },
                               .on_message = [this](auto& message) { return OnMessage(message); },
                               .on_end = [this](const grpc::Status& status) { OnEnd(status); }});
}

void TripLog::Stop() { stream_.reset(); }

bool TripLog::OnMessage(trip::v1::FollowTripsResponse& message) {
  if (!std::exchange(is_connected_, true).value_or(false)) {
    service::Log(service::Level::kInfo, "following", {{"after", std::to_string(sequence_)}});
  }
  if (!message.has_event()) return true;
  const std::uint64_t sequence = message.event().sequence();
  if (!queue_.Add(std::move(*message.mutable_event()))) return false;
  sequence_ = sequence;
  return true;
}

void TripLog::OnEnd(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::CANCELLED:  // The queue was full.
      return;
    case grpc::StatusCode::OUT_OF_RANGE:
      queue_.Fail(absl::FailedPreconditionError(
          "the topic holds the events of another log than trip's, or trip has lost events: " +
          status.error_message()));
      return;
    case grpc::StatusCode::INVALID_ARGUMENT:
    case grpc::StatusCode::PERMISSION_DENIED:
      queue_.Fail(rpc::FromGrpcStatus(status));
      return;
    default:
      if (!std::exchange(is_connected_, false).value_or(true)) return;
      service::Log(service::Level::kWarning, "trip_away",
                   {{"error", rpc::FromGrpcStatus(status).ToString()}});
  }
}

}  // namespace ridestream::exporter
