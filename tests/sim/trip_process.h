#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "services/dispatch/domain/trips/trip_commands.h"
#include "services/trip/domain/promise.h"
#include "services/trip/domain/surge_table.h"
#include "services/trip/domain/trip_view.h"
#include "services/trip/handlers/log_tail.h"
#include "services/trip/streets/streets_router.h"
#include "tests/sim/call.h"
#include "tests/sim/link.h"
#include "tests/sim/town.h"
#include "tests/sim/trip_disk.h"

namespace ridestream::sim {

/// A life of the trip service: the real domain and log tail, and what the gRPC shell and the SQLite
/// store do around them, namely a writer that commits in batches and answers behind the commit,
/// followers that read the log by pages, and watchers. Not thread-safe.
class TripProcess {
 public:
  using TripReply = Reply<trip::v1::Trip>;
  template <class Message>
  using Deliver = std::function<void(const Message&)>;

  TripProcess(Context& context, Host& host, TripDisk& disk, RecordChecker& checker,
              const trip::SharingTerms& sharing);

  void QuoteTrip(const RiderId& rider, const trip::v1::QuoteTripRequest& request,
                 Reply<trip::v1::QuoteTripResponse> reply);
  void RequestTrip(const RiderId& rider, const trip::v1::RequestTripRequest& request,
                   TripReply reply);
  void CancelTrip(const RiderId& rider, const trip::v1::CancelTripRequest& request,
                  TripReply reply);
  void ChangeDestination(const RiderId& rider, const trip::v1::ChangeDestinationRequest& request,
                         TripReply reply);
  /// What dispatch commands.
  void Carry(const dispatch::TripRequest& request, TripReply reply);

  void ReportSurge(const trip::v1::ReportSurgeRequest& request,
                   const Reply<trip::v1::ReportSurgeResponse>& reply);

  void FollowTrips(std::shared_ptr<Link> link, const trip::v1::FollowTripsRequest& request,
                   Deliver<trip::v1::FollowTripsResponse> deliver);
  void WatchTrip(std::shared_ptr<Link> link, const TripId& trip,
                 Deliver<trip::v1::WatchTripResponse> deliver);
  /// A stream of ReportProgress; its messages come to TakeProgress.
  void ReportProgress(const std::shared_ptr<Link>& link);
  void TakeProgress(const trip::v1::ReportProgressRequest& report);

  /// Rows that would be lost if it died now and haven't reached the disk.
  std::size_t waiting() const { return queue_.size() + batch_.size(); }

 private:
  struct Work {
    TripDisk::Row row;
    std::function<void(TripDisk::Answer)> done;
    TripDisk::Answer answer = trip::TripPtr();
  };
  struct Follower {
    std::shared_ptr<Link> link;
    Deliver<trip::v1::FollowTripsResponse> deliver;
    std::uint64_t cursor = 0;
    std::uint64_t caught_up_at = 0;
    bool said_caught_up = false;
    bool pumping = false;
  };
  struct Watcher {
    std::shared_ptr<Link> link;
    TripId trip;
    Deliver<trip::v1::WatchTripResponse> deliver;
    bool begun = false;
    trip::TripView view;
  };

  void Submit(trip::Command command, TripReply reply);
  void Enqueue(TripDisk::Row row, std::function<void(TripDisk::Answer)> done);
  void StartBatch();
  void Commit();
  void Acknowledge(const std::vector<trip::EventPtr>& events);
  void Answer(const TripReply& reply, const TripDisk::Answer& answer);
  trip::Command ToCommand(const dispatch::TripRequest& request);

  void Publish(const std::vector<trip::EventPtr>& events);
  void Wake(const std::shared_ptr<Follower>& follower);
  void Pump(Follower& follower);
  void SendPage(Follower& follower, const std::vector<const trip::v1::TripEvent*>& events,
                std::uint64_t last_sequence);
  void Tell(Watcher& watcher);

  Context& context_;
  Host& host_;
  TripDisk& disk_;
  RecordChecker& checker_;
  const trip::SharingTerms sharing_;
  const trip::StreetsRouter router_{TownStreets()};
  trip::SurgeTable surge_;
  std::vector<Work> queue_;
  std::vector<Work> batch_;
  std::uint64_t last_sequence_;
  trip::LogTail tail_;
  std::list<std::shared_ptr<Follower>> followers_;
  std::list<std::shared_ptr<Watcher>> watchers_;
};

}  // namespace ridestream::sim
