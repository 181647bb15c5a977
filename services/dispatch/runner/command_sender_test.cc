#include "services/dispatch/runner/command_sender.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "libs/rpc/stale_term.h"
#include "services/dispatch/runner/testing/held_lease.h"

namespace ridestream::dispatch {
namespace {

/// Records the reports of surge, for the test to answer.
class SurgeOfTrip final : public TripPort {
 public:
  void Execute(TripRequest, const CallOptions&, CommandEnded) override {
    ADD_FAILURE() << "no command is sent";
  }
  void ReportSurge(trip::v1::ReportSurgeRequest request, const CallOptions&,
                   SurgeEnded done) override {
    requests_.push_back(std::move(request));
    done_ = std::move(done);
  }
  std::unique_ptr<streams::ReadStream> FollowTrips(trip::v1::FollowTripsRequest,
                                                   LogListener&) override {
    return nullptr;
  }

  std::vector<trip::v1::ReportSurgeRequest> requests_;
  SurgeEnded done_;
};

class NoEvents final : public EventSink {
 public:
  bool Post(Event) override { return true; }
  void PostAlways(Event) override {}
};

TEST(CommandSenderTest, SurgeCarriesTheTermAndReportsThatTripRefusedIt) {
  SurgeOfTrip trip;
  OpenRequests requests;
  NoEvents events;
  HeldLease lease;
  CommandSender sender("city", {.trip = trip,
                                .requests = requests,
                                .events = events,
                                .lease = lease,
                                .trip_to_ours = [] { return Duration::zero(); },
                                .on_ended = [](const std::string&, absl::StatusCode) {}});
  lease.set_term(4);
  sender.Send(SetSurge{{{1, 150}}});
  ASSERT_EQ(trip.requests_.size(), 1u);
  EXPECT_EQ(trip.requests_[0].market(), "city");
  EXPECT_EQ(trip.requests_[0].term(), 4u);
  trip.done_(absl::UnavailableError("away"));
  EXPECT_EQ(lease.refused(), 0);
  trip.done_(rpc::MarkStaleTerm(absl::FailedPreconditionError("term 4 is over")));
  EXPECT_EQ(lease.refused(), 1);

  lease.set_term(0);
  sender.Send(SetSurge{});
  EXPECT_EQ(trip.requests_.size(), 1u) << "sent without a lease to count on";
}

}  // namespace
}  // namespace ridestream::dispatch
