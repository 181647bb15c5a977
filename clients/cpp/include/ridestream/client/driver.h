#pragma once

#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ridestream/client/connection.h"
#include "ridestream/dispatch/v1/dispatch.pb.h"

namespace ridestream::client {

/// The stream is live. Unless it resumes the session, all that was pushed before is void.
struct Connected {
  bool resumed = false;
  std::string session_id;
  std::uint64_t epoch = 0;
};

/// The stream broke. The driver reconnects by itself.
struct Disconnected {
  absl::Status status;
  std::chrono::nanoseconds retry_in{};
};

using Event = std::variant<Connected, Disconnected, dispatch::v1::Offer, dispatch::v1::OfferEnded,
                           dispatch::v1::Plan, dispatch::v1::Rejected, dispatch::v1::WaitingPlace>;

/// What a driver begins with.
struct Shift {
  std::string market = "";
  /// Passenger seats, 1 to 8.
  int seats = 4;
  std::string name = "";
  common::v1::Vehicle vehicle = {};
  /// Riders who share may be added to a plan under way without an offer.
  bool accepts_insertions = false;
};

/// A driver's shift: one stream, over as many connections as it takes. A thread of its own
/// connects, resumes after breaks, reports the car's position, acks what the app has taken, and
/// repeats commands until their effect is seen. docs/driver_client.md has the protocol.
/// Thread-safe.
class Driver {
 public:
  using PlanResult = std::future<absl::StatusOr<dispatch::v1::Plan>>;
  using OfferResult = std::future<absl::StatusOr<dispatch::v1::OfferEnded>>;

  /// Begins to connect. Fails before the wire if `shift` is invalid.
  static absl::StatusOr<std::unique_ptr<Driver>> Start(Connection connection, const Shift& shift);
  /// Closes.
  ~Driver();

  /// Blocks until the next event, in order of arrival. A push is acked when it has been taken:
  /// after 64 pushes that aren't, the service starts a new session. Nothing: the shift has ended,
  /// see status().
  std::optional<Event> Next();
  /// Why Next() returned nothing: OK after EndShift() and Close(), else what a retry doesn't mend.
  /// ABORTED: another device of the driver is connected.
  absl::Status status() const;
  /// Leaves the stream. The session waits for a resume; EndShift() ends it.
  void Close();

  /// The newest plan. Nothing: there is nothing to do, or it isn't known yet.
  std::optional<dispatch::v1::Plan> plan() const;
  /// For how long an answer to the offer is in time; negative once it isn't.
  std::chrono::nanoseconds TimeLeft(const dispatch::v1::Offer& offer) const;

  /// The car's place in degrees, its heading in degrees clockwise from north (0 to 359), and its
  /// speed, not negative. Call it at any rate: the newest is sent as often as the service asks for.
  absl::Status MoveTo(double lat, double lng, int heading_deg = 0, double speed_m_per_s = 0);

  /// Commands. Each future becomes ready when the command's effect was seen, over as many streams
  /// as it takes, or with an error: kRejected, kBeforeTheWire, kStopped, or what ended the shift.
  /// The same command again while one is under way is that command. A future may be dropped: the
  /// command is still carried out.
  ///
  /// The trip is the driver's only if the outcome is OFFER_OUTCOME_ACCEPTED.
  OfferResult Accept(const std::string& offer_id);
  OfferResult Decline(const std::string& offer_id);
  /// At the pick-up; the rider is aboard; the ride is over. Each returns the plan that shows it.
  PlanResult Arrived(const std::string& trip_id);
  PlanResult PickedUp(const std::string& trip_id);
  PlanResult DroppedOff(const std::string& trip_id);
  /// Gives a trip back before its pick-up. `reason` has at most 256 characters.
  PlanResult GiveUp(const std::string& trip_id, const std::string& reason = "",
                    dispatch::v1::GiveUpCause cause = dispatch::v1::GIVE_UP_CAUSE_CANT_DRIVE);
  /// Ends the session. Rejected while there is a plan.
  std::future<absl::Status> EndShift();

 private:
  class Impl;
  explicit Driver(std::unique_ptr<Impl> impl);

  const std::unique_ptr<Impl> impl_;
};

}  // namespace ridestream::client
