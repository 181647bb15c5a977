#pragma once

#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "libs/base/geo.h"
#include "libs/base/id.h"
#include "loadtest/auditor/histories.h"
#include "loadtest/base/random.h"
#include "ridestream/trip/v1/trip.pb.h"

namespace ridestream::loadtest {

/// How riders behave; the same for all. Durations are on the city's clock.
struct RiderHabits {
  /// Cancels, at a moment within `cancel_within` of the request; without effect if the rider is
  /// aboard by then.
  double cancel_probability = 0.05;
  Duration cancel_within = std::chrono::minutes(4);
  /// Changes the destination, at a moment within `change_within` of the request, while waiting or
  /// aboard.
  double change_destination_probability = 0.05;
  /// Shares the car. Such a rider doesn't change the destination, which isn't possible.
  double share_probability = 0;
  Duration change_within = std::chrono::minutes(8);
  /// Repeats the answered request, as an app does that lost the answer.
  double repeat_request_probability = 0.02;
  /// Cancels a ride whose driver hasn't arrived within this time.
  Duration patience = std::chrono::minutes(20);
  /// First pause before a failed call is repeated. It doubles up to the maximum, and is jittered.
  Duration first_backoff = std::chrono::milliseconds(200);
  Duration longest_backoff = std::chrono::seconds(5);
  /// How long to wait for the answers to the quote and the request, including retries.
  Duration answer_within = std::chrono::seconds(60);
};

/// The outcome of a rider's request.
enum class RiderOutcome { kOpen, kCompleted, kCancelled, kUnserved, kRefused, kUnanswered };

/// One rider with its app, as a deterministic state machine: answers and times go in, calls come
/// out. It makes its request when it is due, whatever the system is doing. Not thread-safe.
class RiderBehaviour {
 public:
  struct Wish {
    RiderId id;
    Time due;
    /// The new destination if the rider changes it.
    LatLng other_destination;
  };
  /// Calls to make now. Each is answered by the function of the same name.
  struct Actions {
    bool quote = false;
    bool request = false;
    bool watch = false;
    bool change_destination = false;
    std::optional<trip::v1::CancelReason> cancel;
    /// Number of these calls that are repetitions.
    int retried = 0;
  };

  RiderBehaviour(Wish wish, const RiderHabits& habits, Random random);

  void OnTime(Time now, Actions& actions);
  void OnQuote(const absl::StatusOr<trip::v1::QuoteTripResponse>& answer, Time now);
  void OnRequest(const absl::StatusOr<trip::v1::Trip>& answer, Time now);
  void OnWatch(const trip::v1::Trip& trip, Time now);
  void OnProgress(const trip::v1::Progress& progress);
  void OnWatchEnded(Time now);
  void OnCancel(const absl::StatusOr<trip::v1::Trip>& answer, Time now);
  void OnChangeDestination(const absl::StatusOr<trip::v1::Trip>& answer, Time now);
  /// The run ends: a rider who isn't aboard cancels.
  void Leave(Time now);

  /// Time::max() for never.
  Time wake_at() const;
  const std::string& quote_id() const { return quote_id_; }
  bool shares() const { return shares_; }
  trip::v1::TripState state() const { return state_; }
  RiderOutcome outcome() const { return outcome_; }
  /// Whether nothing will happen any more.
  bool done() const;
  /// Time from due until the driver's arrival, from the record; nullopt until known.
  std::optional<Duration> waited() const { return waited_; }
  const Wish& wish() const { return wish_; }
  const RiderHistory& history() const { return history_; }

 private:
  /// The state of a call: due at a time, running, or not wanted.
  struct Call {
    Time at = Time::max();
    bool running = false;
    int failures = 0;

    bool Start(Time now) {
      if (running || now < at) return false;
      running = true;
      at = Time::max();
      return true;
    }
  };
  /// Records the end of a call. Returns true if it failed and must be repeated, and schedules that.
  bool Retry(Call& call, const absl::Status& status, Time now);
  void OnTrip(const trip::v1::Trip& trip, Time now);
  void Refuse(const absl::Status& status);
  bool MayCancel() const;
  void Cancel(trip::v1::CancelReason reason, Time at);

  const Wish wish_;
  const RiderHabits& habits_;
  Random random_;
  const bool shares_;
  RiderHistory history_;
  std::string quote_id_;
  trip::v1::TripState state_ = trip::v1::TRIP_STATE_UNSPECIFIED;
  std::uint64_t version_ = 0;
  /// Set while the rider is aboard.
  bool driver_lost_ = false;
  RiderOutcome outcome_ = RiderOutcome::kOpen;
  std::optional<Duration> waited_;
  trip::v1::CancelReason reason_ = trip::v1::CANCEL_REASON_CHANGED_MIND;
  Time patient_until_ = Time::max();
  Call quote_, request_, watch_, cancel_, change_;
};

/// Whether repeating a call unchanged may give a different result.
bool IsRetryable(const absl::Status& status);

}  // namespace ridestream::loadtest
