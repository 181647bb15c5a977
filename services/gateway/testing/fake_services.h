#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "libs/base/mutex.h"
#include "libs/rpc/push_stream.h"
#include "libs/rpc/server.h"
#include "ridestream/dispatch/v1/dispatch.grpc.pb.h"
#include "ridestream/location/v1/location.grpc.pb.h"
#include "ridestream/trip/v1/trip.grpc.pb.h"
#include "services/gateway/testing/event.h"

namespace ridestream::gateway {

/// Services in this process, behind a gateway under test. Their answers show what the gateway
/// forwards:
/// - QuoteTrip returns what it received: the market as quote_id, and as initial metadata the caller
///   (`seen-caller`), its token (`seen-authorization`), the market in the metadata (`seen-market`),
///   the time left (`seen-timeout-ms`) and the connection (`seen-peer`). It also has trailing
///   metadata.
/// - GetTrip returns trip `t-1`, else NOT_FOUND. RequestTrip fails with RESOURCE_EXHAUSTED and a
///   pause.
/// - ListTrips never answers. `list_began` and `list_cancelled` happen when a call starts and when
///   its caller goes away.
/// - WatchArea sends three frames and ends; it sends none for the market "silent", and never stops
///   for "flood". `watch_began` and `watch_cancelled` happen at its start and its end, and `frames`
///   counts the frames that were taken.
/// - FollowTrips sends the events after_sequence + 1 to 5, and ends.
/// - For the market "named", the events of FollowTrips and the single frame of WatchArea are about
///   the driver `jane-doe` and the rider `ada-lovelace`. GetDriver knows only `jane-doe`.
/// - Drive answers each position with its sequence, and ends when the driver half-closes.
class FakeServices {
 public:
  FakeServices();
  ~FakeServices();

  std::string address() const;
  Event list_began;
  Event list_cancelled;
  Event watch_began;
  Event watch_cancelled;
  std::atomic<int> frames = 0;
  /// The last requests, to check what REST made of them.
  trip::v1::RequestTripRequest last_request_trip();
  location::v1::FindNearestRequest last_find_nearest();

 private:
  class Trip;
  class Location;
  class Dispatch;

  std::unique_ptr<Trip> trip_;
  std::unique_ptr<Location> location_;
  std::unique_ptr<Dispatch> dispatch_;
  std::unique_ptr<rpc::Server> server_;
};

}  // namespace ridestream::gateway
