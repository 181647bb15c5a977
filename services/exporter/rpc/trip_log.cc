#include "services/exporter/rpc/trip_log.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/rpc/client_streams.h"
#include "libs/service/peer_advice.h"
#include "libs/service/service.h"
#include "services/exporter/rpc/self.h"

namespace ridestream::exporter {

TripLog::TripLog(Options options, trip::v1::TripService::StubInterface& trip, TimerQueue& timers,
                 EventQueue& queue)
    : options_(std::move(options)), trip_(trip), timers_(timers), queue_(queue) {}

void TripLog::FollowAfter(std::uint64_t sequence) {
  Stop();
  // The stream that filled the queue may have been stopped before its end.
  queue_was_full_ = false;
  sequence_ = sequence;
  using Transport =
      rpc::ClientReadStream<trip::v1::FollowTripsRequest, trip::v1::FollowTripsResponse>;
  const auto open = [this](auto& listener) {
    return std::make_unique<Transport>(
        [this](auto* context, auto* request, auto* reactor) {
          rpc::SetCaller(*context, kSelf);
          request->mutable_markets()->Assign(options_.markets.begin(), options_.markets.end());
          request->set_after_sequence(sequence_);
          trip_.async()->FollowTrips(context, request, reactor);
        },
        listener);
  };
  stream_ = std::make_unique<Stream>(
      timers_, Stream::Options{.open = open,
                               .on_message = [this](auto& message) { return OnMessage(message); },
                               .on_end = [this](const absl::Status& status,
                                                bool is_news) { OnEnd(status, is_news); }});
}

void TripLog::Stop() {
  stream_.reset();
  is_following_ = false;
}

bool TripLog::OnMessage(trip::v1::FollowTripsResponse& message) {
  if (!is_following_.exchange(true)) {
    service::Log(service::Level::kInfo, "following", {{"after", std::to_string(sequence_)}});
    options_.on_change();
  }
  if (!message.has_event()) return true;
  const std::uint64_t sequence = message.event().sequence();
  if (!queue_.Add(std::move(*message.mutable_event()))) {
    queue_was_full_ = true;
    return false;
  }
  sequence_ = sequence;
  return true;
}

void TripLog::OnEnd(const absl::Status& status, bool is_news) {
  if (std::exchange(queue_was_full_, false)) return;
  switch (status.code()) {
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
      if (is_following_.exchange(false)) options_.on_change();
      if (!is_news) return;
      service::Log(service::LevelOf(status), "log_not_followed",
                   {{"after", std::to_string(sequence_)},
                    {"error", status.ToString()},
                    {"advice", service::AdviceOn(status, "trip", options_.address)}});
  }
}

}  // namespace ridestream::exporter
