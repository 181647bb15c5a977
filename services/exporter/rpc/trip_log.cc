#include "services/exporter/rpc/trip_log.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/rpc/client_streams.h"
#include "libs/service/service.h"
#include "services/exporter/rpc/self.h"

namespace ridestream::exporter {

TripLog::TripLog(std::vector<std::string> markets, trip::v1::TripService::StubInterface& trip,
                 TimerQueue& timers, EventQueue& queue)
    : markets_(std::move(markets)), trip_(trip), timers_(timers), queue_(queue) {}

void TripLog::FollowAfter(std::uint64_t sequence) {
  Stop();
  sequence_ = sequence;
  is_connected_.reset();
  using Transport =
      rpc::ClientReadStream<trip::v1::FollowTripsRequest, trip::v1::FollowTripsResponse>;
  const auto open = [this](auto& listener) {
    return std::make_unique<Transport>(
        [this](auto* context, auto* request, auto* reactor) {
          rpc::SetCaller(*context, kSelf);
          request->mutable_markets()->Assign(markets_.begin(), markets_.end());
          request->set_after_sequence(sequence_);
          trip_.async()->FollowTrips(context, request, reactor);
        },
        listener);
  };
  stream_ = std::make_unique<Stream>(
      timers_, Stream::Options{.open = open,
                               .on_message = [this](auto& message) { return OnMessage(message); },
                               .on_end = [this](const absl::Status& status, bool) { OnEnd(status); }});
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

void TripLog::OnEnd(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kCancelled:  // The queue was full.
      return;
    case absl::StatusCode::kOutOfRange:
      queue_.Fail(absl::FailedPreconditionError(
          absl::StrCat("the topic holds events of a different log, or trip has lost events: ",
                       status.message())));
      return;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kPermissionDenied:
      queue_.Fail(status);
      return;
    default:
      if (!std::exchange(is_connected_, false).value_or(true)) return;
      service::Log(service::Level::kWarning, "trip_away", {{"error", status.ToString()}});
  }
}

}  // namespace ridestream::exporter
