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

/// Services behind a gateway under test, in this process, which do what shows the gateway's part:
///  * QuoteTrip answers with what it was told: market as quote_id, the caller as the initial
///  metadata
///    `seen-caller`, its token as `seen-authorization`, the market of its metadata as
///    `seen-market`, the time left as `seen-timeout-ms`, the connection as `seen-peer`; and has
///    trailing metadata.
///  * GetTrip answers trip `t-1`, else NOT_FOUND. RequestTrip is RESOURCE_EXHAUSTED with a pause.
///  * ListTrips never answers; `list_began` and `list_cancelled` tell that its caller came and
///  went.
///  * WatchArea sends three frames and ends, stays silent for the market "silent", and sends for
///  ever
///    for "flood"; `watch_began` and `watch_cancelled` tell its ends, `frames` how many were taken.
///  * FollowTrips sends the events after_sequence + 1 to 5, and ends.
///  * For the market "named", FollowTrips' events and WatchArea's single frame are about the driver
///    `jane-doe` and the rider `ada-lovelace`. GetDriver knows only `jane-doe`.
///  * Drive answers each position by its sequence, and ends when the driver half-closes.
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
  /// The last requests, for what REST made of them.
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
