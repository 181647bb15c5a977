#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "libs/base/clock.h"
#include "libs/base/geo.h"
#include "libs/base/id.h"
#include "services/dispatch/domain/market_events.h"

namespace ridestream::dispatch {

/// A trip that needs a driver, and nobody has been offered it.
struct WaitingTrip {
  TripId id;
  /// The oldest request goes first.
  Time requested_at;
  LatLng pickup;
  std::uint32_t party_size = 1;
  /// How far the next round looks.
  std::uint32_t radius_m = 0;
  /// Not part of a round before.
  Time hold_until;
};

/// A driver found for a trip.
struct Match {
  WaitingTrip trip;
  Candidate candidate;
};

/// Whether a driver may be offered a trip.
enum class Eligibility { kNo, kLastResort, kYes };
using EligibilityFn = std::function<Eligibility(const WaitingTrip&, const DriverId&)>;

/// The waiting trips and the matching rounds over them: one round at a time asks for the candidates
/// of all who wait, and gives each trip, the oldest first, its nearest by travel time (drivers
/// equally near by their ids). A trip that found nobody looks twice as far in the next round; a
/// last resort is taken only when it can't look further. Not thread-safe.
class WaitingTrips {
 public:
  struct Config {
    /// From the start of a round to the start of the next.
    Duration match_every;
    std::uint32_t max_radius_m;
  };
  /// What location answers in one call.
  static constexpr std::size_t kMaxTripsPerRound = 1'000;

  explicit WaitingTrips(Config config) : config_(config) {}

  /// A round for it starts when hold_until has come and none is in flight.
  void Add(WaitingTrip trip);
  void Remove(const TripId& id);
  bool Contains(const TripId& id) const { return requested_at_.contains(id); }

  /// When StartRound is due; nothing while a round is in flight or nobody waits.
  std::optional<Time> NextRound() const;
  /// Asks for at most `max_trips` (and kMaxTripsPerRound); the next round begins with those left
  /// out. Nothing if all who wait are held.
  std::optional<FindCandidates> StartRound(Time now, std::size_t max_trips = kMaxTripsPerRound);
  bool InFlight() const { return in_flight_; }
  /// The round in flight got no answer; a late one will be ignored.
  void AbandonRound(Time now);

  /// The pairs that the answer makes. An answer to another round than the one in flight makes none.
  std::vector<Match> FinishRound(const CandidatesFound& found, const EligibilityFn& eligibility,
                                 Time now);

 private:
  using Key = std::pair<Time, TripId>;

  const Config config_;
  std::map<Key, WaitingTrip> trips_;
  std::map<TripId, Time> requested_at_;
  std::uint64_t round_ = 0;
  bool in_flight_ = false;
  Time next_round_ = Time::max();
  /// The last trip of a round that was full: the next one starts behind it.
  std::optional<Key> asked_up_to_;
};

}  // namespace ridestream::dispatch
