#include "tests/e2e/test_rider.h"

#include <gtest/gtest.h>

#include <chrono>
#include <utility>

#include "libs/proto_values/proto_values.h"
#include "libs/rpc/caller.h"
#include "libs/rpc/channel.h"

namespace ridestream::e2e {
namespace {

using trip::v1::TripService;

constexpr std::chrono::seconds kAnswerWithin{30};

}  // namespace

TestRider::TestRider(const std::string& trip_address, std::string id)
    : id_(std::move(id)), stub_(TripService::NewStub(rpc::MakeChannel(trip_address))) {}

TestRider::~TestRider() {
  if (watch_context_ != nullptr) watch_context_->TryCancel();
  if (watcher_.joinable()) watcher_.join();
}

template <class Response, class Message>
Response TestRider::Call(grpc::Status (TripService::Stub::*rpc)(grpc::ClientContext*,
                                                                const Message&, Response*),
                         const Message& request) {
  grpc::ClientContext context;
  rpc::SetCaller(context, {rpc::CallerKind::kRider, id_});
  rpc::SetTimeout(context, kAnswerWithin);
  Response response;
  const grpc::Status status = (stub_.get()->*rpc)(&context, request, &response);
  EXPECT_TRUE(status.ok()) << id_ << ": " << status.error_message();
  return response;
}

trip::v1::QuoteTripResponse TestRider::Quote(LatLng from, LatLng to, bool shared) {
  trip::v1::QuoteTripRequest request;
  request.set_market("city");
  request.set_party_size(1);
  request.set_shared(shared);
  *request.mutable_pickup() = ToProto(from);
  *request.mutable_dropoff() = ToProto(to);
  return Call(&TripService::Stub::QuoteTrip, request);
}

trip::v1::Trip TestRider::Request(const trip::v1::QuoteTripResponse& quote,
                                  const std::string& request_id) {
  trip::v1::RequestTripRequest request;
  request.set_request_id(request_id);
  request.set_quote_id(quote.quote_id());
  request.set_rider_name("Rider " + id_);
  request.set_note("blue coat");
  trip::v1::Trip trip = Call(&TripService::Stub::RequestTrip, request).trip();
  if (trip_id_.empty()) {
    trip_id_ = trip.trip_id();
    watch_context_ = std::make_unique<grpc::ClientContext>();
    rpc::SetCaller(*watch_context_, {rpc::CallerKind::kRider, id_});
    watcher_ = std::thread([this] { Watch(trip_id_); });
  }
  return trip;
}

trip::v1::Trip TestRider::Cancel() {
  trip::v1::CancelTripRequest request;
  request.set_request_id(id_ + "-cancel");
  request.set_trip_id(trip_id_);
  request.set_reason(trip::v1::CANCEL_REASON_CHANGED_MIND);
  return Call(&TripService::Stub::CancelTrip, request).trip();
}

trip::v1::Trip TestRider::ChangeDestination(LatLng to) {
  trip::v1::ChangeDestinationRequest request;
  request.set_request_id(id_ + "-change-" + std::to_string(++changes_));
  request.set_trip_id(trip_id_);
  *request.mutable_dropoff() = ToProto(to);
  return Call(&TripService::Stub::ChangeDestination, request).trip();
}

void TestRider::Watch(const std::string& trip_id) {
  trip::v1::WatchTripRequest request;
  request.set_trip_id(trip_id);
  auto stream = stub_->WatchTrip(watch_context_.get(), request);
  trip::v1::WatchTripResponse response;
  while (stream->Read(&response)) {
    MutexLock lock(mu_);
    latest_ = response;
    if (states_.empty() || states_.back() != response.trip().state()) {
      states_.push_back(response.trip().state());
    }
    driver_statuses_.insert(response.progress().driver_status());
    changed_.SignalAll();
  }
  stream->Finish();
}

void TestRider::WaitUntil(const std::string& what, const std::function<bool()>& is) {
  const auto end = std::chrono::steady_clock::now() + kAnswerWithin;
  MutexLock lock(mu_);
  while (!is()) {
    if (!changed_.WaitFor(mu_, std::chrono::milliseconds(100)) &&
        std::chrono::steady_clock::now() > end) {
      ADD_FAILURE() << id_ << " waited in vain for " << what << "; the trip is "
                    << latest_.ShortDebugString();
      return;
    }
  }
}

trip::v1::Trip TestRider::WaitFor(trip::v1::TripState state) {
  WaitUntil(trip::v1::TripState_Name(state), [this, state]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    return latest_.trip().state() == state;
  });
  MutexLock lock(mu_);
  return latest_.trip();
}

void TestRider::WaitFor(trip::v1::DriverStatus status) {
  WaitUntil(trip::v1::DriverStatus_Name(status), [this, status]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    return driver_statuses_.contains(status);
  });
}

void TestRider::WaitForLostDriver() {
  WaitUntil("a lost driver", [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    return latest_.trip().has_driver_lost_at();
  });
}

std::vector<trip::v1::TripState> TestRider::states() {
  MutexLock lock(mu_);
  return states_;
}

}  // namespace ridestream::e2e
