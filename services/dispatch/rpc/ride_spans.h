#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "libs/base/mutex.h"
#include "libs/tracing/tracer.h"
#include "services/dispatch/runner/ride_tracer.h"

namespace ridestream::dispatch {

/// The spans of one market's rides; docs/tracing.md lists them. They are children of the span that
/// served the ride's request at trip, and a ride whose trace isn't sampled has none: its spans
/// would all be kept as slow ones. A matching round begins a trace of its own, which is linked to
/// those of its riders, and is made only if one of these is sampled.
///
/// Thread-safe; its lock is a leaf. Bounded by the market's open trips and the drivers' unacked
/// pushes.
class RideSpans final : public RideTracer {
 public:
  /// `tracer` must outlive it.
  RideSpans(const tracing::Tracer& tracer, std::string market);

  void OnRead(const trip::v1::TripEvent& event) override;
  void Handling(const Event& event, Time now) override;
  void Decided(const std::vector<Decision>& decisions) override;
  void Handled(const Event& event, std::chrono::nanoseconds took) override;
  void OnAck(const DriverId& driver, const v1::DriveResponse& push) override;
  std::string TraceOf(const std::string& trip_id) const override;
  std::string TraceOfRound(std::uint64_t round) const override;

 private:
  /// An offer until it ends.
  struct Offer {
    std::string trip_id;
    DriverId driver;
    tracing::Span span;
    Time made_at = {};
    bool was_answered = false;
  };
  struct Ride {
    /// The span that served the request.
    tracing::SpanContext request;
    /// Version of the newest record that was handled.
    std::uint64_t version = 0;
    /// When the record that waits in the market's queue was read.
    std::optional<Time> read_at = std::nullopt;
    /// Since when the ride has waited for a round.
    std::optional<Time> waits_since = std::nullopt;
    /// The open offer; empty without one.
    std::string offer_id = {};
  };
  /// A matching round until its candidates have been handled.
  struct Round {
    std::uint64_t number = 0;
    tracing::Span span;
    Time began_at = {};
    std::vector<std::string> trips;
  };
  /// A push that a driver hasn't acked.
  struct Unacked {
    tracing::SpanContext parent;
    std::string trip_id;
    Time pushed_at = {};
  };
  /// An offer's id, or a plan's version, which is a driver's.
  using PushKey = std::pair<std::string, std::string>;

  static PushKey KeyOf(const DriverId& driver, const v1::DriveResponse& push);

  void Note(const trip::v1::Trip& trip) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnAnswer(const OfferAnswered& answered) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Begin(const FindCandidates& round) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void End(const CandidatesFound& found, const std::vector<Decision>& decisions)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnPush(const Push& push) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Make(const DriverId& driver, const v1::Offer& offer) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void End(const v1::OfferEnded& ended) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void EndAnswer(Offer& offer, const std::string& outcome) const;
  void Drop(const DriverId& driver) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  /// Ends the offer of a driver without a session, who is sent no OfferEnded.
  void Withdraw(const DriverId& driver) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  /// The ride, if its trace is sampled; else null.
  Ride* Sampled(const std::string& trip_id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  tracing::Span Start(std::string_view name, const tracing::SpanContext& parent,
                      const std::string& trip_id, std::optional<Time> start = std::nullopt) const;

  const tracing::Tracer& tracer_;
  const std::string market_;
  mutable Mutex mu_;
  absl::flat_hash_map<std::string, Ride> rides_ ABSL_GUARDED_BY(mu_);  // Traced ones, by trip.
  std::map<std::string, Offer> offers_ ABSL_GUARDED_BY(mu_);           // By id.
  std::optional<Round> round_ ABSL_GUARDED_BY(mu_);
  std::multimap<PushKey, Unacked> unacked_ ABSL_GUARDED_BY(mu_);
  // Touched by the market's worker alone.
  /// The candidates that the market handles now.
  const CandidatesFound* found_ = nullptr;
  /// The trip whose last record the market handles now: what it decides then is still the ride's.
  std::string ended_;
};

}  // namespace ridestream::dispatch
