#pragma once

#include <optional>
#include <vector>

#include "libs/base/clock.h"
#include "loadtest/auditor/histories.h"
#include "loadtest/base/random.h"
#include "ridestream/dispatch/v1/dispatch.pb.h"

namespace ridestream::loadtest {

/// A driver's open offers, of which dispatch makes at most one at a time. Waits a while for each,
/// then accepts, declines, or lets it expire. Not thread-safe.
class OfferResponder {
 public:
  /// The remaining probability is that of ignoring an offer.
  struct Habits {
    double accept_probability = 0.85;
    double decline_probability = 0.10;
    Duration think_min = std::chrono::seconds(1);
    Duration think_max = std::chrono::seconds(6);
  };
  explicit OfferResponder(const Habits& habits) : habits_(habits) {}

  /// With `may_accept` false, declines at once. An offer that is already held (after a resume) is
  /// kept.
  void OnOffer(const dispatch::v1::Offer& offer, bool may_accept, Time now, Random& random,
               DriverHistory& history);
  void OnEnded(const dispatch::v1::OfferEnded& ended, DriverHistory& history);
  /// A fresh session began, in which only the offer `kept_offer_id` is open, if any.
  void Void(const std::string& kept_offer_id, DriverHistory& history);
  /// The stream was lost: answers without a visible effect are sent again.
  void OnResumed();

  /// Answers that are due; each is returned once.
  std::vector<dispatch::v1::OfferAnswer> OnTime(Time now, DriverHistory& history);
  /// When OnTime is due; Time::max() for never.
  Time wake_at() const;
  bool empty() const { return open_.empty(); }

 private:
  struct Open {
    std::string offer_id;
    size_t history;  // Index into DriverHistory::offers.
    OfferHistory::Answer answer;
    Time answer_at;  // Time::max(): never.
    bool answered = false;
  };
  const Habits& habits_;
  std::vector<Open> open_;
};

}  // namespace ridestream::loadtest
