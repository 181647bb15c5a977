#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/node_hash_map.h"
#include "libs/base/clock.h"
#include "libs/base/id.h"
#include "ridestream/dispatch/v1/dispatch.pb.h"

namespace ridestream::dispatch {

struct OpenOffer {
  enum class State {
    /// The driver is thinking.
    kOffered,
    /// Accepted, and trip has been asked to assign. Only trip's answer or its log ends it.
    kAssigning,
    /// Trip refused to assign; its log is about to tell why.
    kRefused,
  };
  OfferId id;
  DriverId driver;
  TripId trip;
  v1::Offer message;
  Time expires_at;
  State state = State::kOffered;
  /// The driver agreed beforehand and never sees it: the trip comes into a plan under way.
  bool inserted = false;
};

/// The offers that haven't ended: at most one of each driver and one of each trip. Not thread-safe.
class OfferBook {
 public:
  /// `id_prefix` makes the ids different from those of other processes and earlier lives.
  explicit OfferBook(std::string id_prefix) : id_prefix_(std::move(id_prefix)) {}

  OfferId NextId();

  /// Neither its driver nor its trip may have an open one.
  OpenOffer& Open(OpenOffer offer);
  /// The offer must be open.
  OpenOffer Close(const OfferId& id);

  /// Null if there is none. Good until the offer is closed.
  OpenOffer* Find(const OfferId& id);
  OpenOffer* OfDriver(const DriverId& driver);
  OpenOffer* OfTrip(const TripId& trip);

 private:
  const std::string id_prefix_;
  std::uint64_t last_id_ = 0;
  absl::node_hash_map<OfferId, OpenOffer> open_;
  absl::flat_hash_map<DriverId, OpenOffer*> of_driver_;
  absl::flat_hash_map<TripId, OpenOffer*> of_trip_;
};

}  // namespace ridestream::dispatch
