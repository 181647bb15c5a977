#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "libs/base/clock.h"
#include "libs/base/geo.h"
#include "libs/base/id.h"
#include "loadtest/auditor/histories.h"
#include "loadtest/base/random.h"
#include "loadtest/driver/car.h"
#include "loadtest/driver/cruise.h"
#include "loadtest/driver/itinerary.h"
#include "loadtest/driver/offer_responder.h"
#include "ridestream/dispatch/v1/dispatch.pb.h"

namespace ridestream::loadtest {

/// How drivers behave; the same for a whole fleet. Durations are on the city's clock.
struct DriverHabits {
  std::string market = "city";
  OfferResponder::Habits offers;
  Itinerary::Options stops;
  /// Probability that a driver gives a trip up before the pick-up.
  double give_up_probability = 0.01;
  /// Probability that a driver follows a suggestion of where to wait.
  double follow_probability = 0.5;
  /// How often a driver's connection breaks, and the mean duration of the interruption.
  double disconnects_per_hour = 1;
  Duration mean_outage = std::chrono::seconds(8);
  /// How often an idle driver ends its shift, and the mean time until its next one.
  double shifts_per_hour = 0;
  Duration mean_break = std::chrono::seconds(60);
  /// Standard deviation of a position, in each of two directions.
  double gps_noise_m = 5;
  Congestion congestion;
  /// First pause after a failed stream. It doubles up to the maximum, and is jittered.
  Duration first_backoff = std::chrono::milliseconds(200);
  Duration longest_backoff = std::chrono::seconds(10);
  /// How long to wait for Welcome.
  Duration welcome_timeout = std::chrono::seconds(10);
};

/// One driver with its app, as a deterministic state machine: messages and times go in, messages
/// come out. It records the driver's history and checks the protocol. Not thread-safe.
class DriverBehaviour {
 public:
  struct Identity {
    DriverId id;
    std::string name;
    std::uint32_t seats = 4;
    LatLng place;
  };
  /// What to do, in this order.
  struct Actions {
    /// Cut the stream without notifying the service.
    bool disconnect = false;
    /// Open a stream; Hello is the first message to send.
    bool connect = false;
    std::vector<dispatch::v1::DriveRequest> send;
  };

  /// `habits` and `cruises` must outlive it. Connects at `start`.
  DriverBehaviour(Identity identity, const DriverHabits& habits, const Cruises& cruises,
                  Random random, Time start);

  /// Advances to `now`. Early calls are harmless.
  void OnTime(Time now, Actions& actions);
  void OnMessage(const dispatch::v1::DriveResponse& message, Time now, Actions& actions);
  /// The stream ended, other than by `disconnect`. The driver reconnects after `retry_after` if the
  /// server asked for a pause, else after a back-off.
  void OnClosed(std::optional<Duration> retry_after, Time now);
  /// Another session of this driver has fenced this one: somebody else has taken over the car. This
  /// driver doesn't come back.
  void OnTakenOver();
  /// The ack of `sequence` has been sent.
  void OnAckSent(std::uint64_t sequence);
  /// When OnTime is due.
  Time wake_at() const;

  /// The run ends: the driver starts nothing new, declines offers, and stays connected; it
  /// reconnects at once if it is disconnected.
  void Park(Time now);
  /// Whether the driver is connected with nothing unanswered in either direction, or was taken
  /// over.
  bool settled() const;
  bool online() const { return link_ == Link::kOnline; }
  LatLng place() const { return car_.place(); }
  const DriverHistory& history() const { return history_; }

 private:
  enum class Link { kOffline, kConnecting, kOnline };

  void Connect(Time now, Actions& actions);
  void Lose(Time comes_back);
  void OnWelcome(const dispatch::v1::Welcome& welcome, Time now);
  bool AckPush(std::uint64_t sequence, Time now, Actions& actions);
  void OnPlan(const dispatch::v1::Plan& plan, Itinerary::Source source, Time now);
  void OnWaitingPlace(const dispatch::v1::WaitingPlace& suggestion, Time now);
  void OnRejected(const dispatch::v1::Rejected& rejected, Time now);
  void Act(Time now, Actions& actions);
  void Report(Time now, Actions& actions);
  void Cruise(Time now);
  dispatch::v1::DriveRequest& Send(Time now, Actions& actions);
  void PlanDisconnect(Time now);
  void PlanEndOfShift(Time now);
  bool MayEndShift() const;

  const Identity identity_;
  const DriverHabits& habits_;
  const Cruises& cruises_;
  Random random_;
  DriverHistory history_;
  Car car_;
  OfferResponder offers_;
  Itinerary itinerary_;
  bool parked_ = false;

  Link link_ = Link::kOffline;
  Time connect_at_;
  Time welcome_by_{};
  Time disconnect_at_ = Time::max();
  Time shift_ends_at_ = Time::max();
  bool ending_shift_ = false;  // It was sent, and hasn't been answered yet.
  Duration backoff_;
  // The state of the session that the next Hello needs.
  std::string session_id_;
  std::uint64_t epoch_ = 0;
  std::uint64_t last_sequence_ = 0;
  std::uint64_t plan_sequence_ = 0;  // Sequence of the push with the newest plan.
  // Version of the snapshot's plan, after which a resume repeats older, unacked ones.
  std::uint64_t resumed_with_ = 0;
  Duration report_every_{};
  Duration heartbeat_{};
  Time report_at_{};
  Time sent_at_{};
  std::uint64_t position_sequence_ = 0;

  Time cruise_at_{};
  // A trip that will be given up, or was given up but is still in the plan.
  std::optional<TripId> giving_up_;
  Time give_up_at_{};
  bool give_up_sent_ = false;
};

}  // namespace ridestream::loadtest
