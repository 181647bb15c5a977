#include "loadtest/city/record_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "libs/proto_values/proto_values.h"
#include "libs/rpc/caller.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/market.h"
#include "libs/rpc/status.h"

namespace ridestream::loadtest {

namespace {

constexpr int kTries = 5;
/// Before each further try. gRPC notices a broken connection a little after its calls fail.
constexpr std::chrono::milliseconds kPause(500);
constexpr std::chrono::seconds kLogTimeout(60);
constexpr std::chrono::seconds kPageTimeout(10);
constexpr std::uint32_t kPageSize = 200;

void Prepare(grpc::ClientContext& context, const std::string& market,
             std::chrono::milliseconds timeout) {
  rpc::SetCaller(context, {rpc::CallerKind::kOperator, "loadtest"});
  rpc::SetMarket(context, market);
  rpc::SetTimeout(context, timeout);
  context.set_wait_for_ready(true);
}

}  // namespace

// Reads until CaughtUp. A stream that ends before is opened again at the last position.
absl::StatusOr<std::uint64_t> RecordReader::Follow(
    trip::v1::FollowTripsRequest request,
    const std::function<void(const trip::v1::TripEvent&)>& on_event) {
  absl::Status status;
  for (int i = 0; i < kTries; ++i) {
    if (i > 0) std::this_thread::sleep_for(kPause);
    grpc::ClientContext context;
    Prepare(context, market_, kLogTimeout);
    const auto reader = stub_->FollowTrips(&context, request);
    trip::v1::FollowTripsResponse response;
    while (reader->Read(&response)) {
      if (response.has_caught_up()) {
        context.TryCancel();
        reader->Finish();
        return response.caught_up().sequence();
      }
      if (!response.has_event()) continue;
      if (on_event) on_event(response.event());
      request.set_after_sequence(response.event().sequence());
    }
    status = rpc::FromGrpcStatus(reader->Finish());
    if (status.ok()) status = absl::UnavailableError("FollowTrips ended before it had caught up");
    if (!absl::IsUnavailable(status) && !absl::IsResourceExhausted(status)) break;
  }
  return status;
}

absl::StatusOr<std::uint64_t> RecordReader::LastSequence() {
  trip::v1::FollowTripsRequest request;
  request.add_markets(market_);
  request.set_oldest_open(true);
  return Follow(std::move(request), nullptr);
}

absl::Status RecordReader::ReadLog(
    std::uint64_t after, const std::function<void(const trip::v1::TripEvent&)>& on_event) {
  trip::v1::FollowTripsRequest request;
  request.add_markets(market_);
  request.set_after_sequence(after);
  return Follow(std::move(request), on_event).status();
}

absl::Status RecordReader::ListTrips(Time since,
                                     const std::function<void(const trip::v1::Trip&)>& on_trip) {
  trip::v1::ListTripsRequest request;
  request.set_market(market_);
  request.set_page_size(kPageSize);
  for (;;) {
    trip::v1::ListTripsResponse response;
    absl::Status status = absl::UnknownError("not tried");
    for (int i = 0; i < kTries && !status.ok(); ++i) {
      if (i > 0) std::this_thread::sleep_for(kPause);
      grpc::ClientContext context;
      Prepare(context, market_, kPageTimeout);
      status = rpc::FromGrpcStatus(stub_->ListTrips(&context, request, &response));
      if (!status.ok() && !absl::IsUnavailable(status)) return status;
    }
    if (!status.ok()) return status;
    bool all_older = true;
    for (const trip::v1::Trip& trip : response.trips()) {
      all_older = all_older && FromProto(trip.requested_at()) < since;
      on_trip(trip);
    }
    // Newest first, so everything that follows is older.
    if (all_older || response.next_page_token().empty()) return absl::OkStatus();
    request.set_page_token(response.next_page_token());
  }
}

}  // namespace ridestream::loadtest
