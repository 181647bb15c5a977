#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ridestream/client/connection.h"
#include "ridestream/market/v1/market.pb.h"
#include "ridestream/trip/v1/trip.pb.h"

namespace ridestream::client {

/// A trip now and at each change, until it has ended. It resumes after breaks, and leaves out a
/// state that is older than the last. Next() is for one thread at a time; Cancel() may be called by
/// another.
class TripWatch {
 public:
  ~TripWatch();

  /// Blocks until the trip changes. Nothing: it has ended, or the watch has, see status().
  std::optional<trip::v1::WatchTripResponse> Next();
  /// Why Next() returned nothing: OK if the trip has ended.
  absl::Status status() const;
  /// Next() returns, with the status CANCELLED.
  void Cancel();

 private:
  friend class Rider;
  class Impl;
  explicit TripWatch(std::unique_ptr<Impl> impl);

  const std::unique_ptr<Impl> impl_;
};

/// Quotes, requests, watches, changes and cancels trips. Calls block. Each try has a deadline, and
/// is repeated while that may help and patience lasts. Errors are those of DetailsOf().
/// Thread-safe.
class Rider {
 public:
  /// How long calls are repeated, except for a watch, which goes on for good.
  static constexpr std::chrono::milliseconds kPatience = std::chrono::seconds(30);

  /// Connects with the first call.
  explicit Rider(Connection connection, std::chrono::milliseconds patience = kPatience);
  /// Closes. Calls that are under way must have returned.
  ~Rider();
  /// Ends calls that are under way with CANCELLED; later ones fail likewise. Watches go on.
  void Close();

  /// The markets that are served, and where they are.
  absl::StatusOr<std::vector<market::v1::Market>> Markets();
  /// The price of a ride, kept until `expires_at`. `party_size` is 1 to 8.
  absl::StatusOr<trip::v1::QuoteTripResponse> Quote(const trip::v1::QuoteTripRequest& request);

  /// Requests a ride. Here and in the next two, a random `request_id` is filled in where it is
  /// empty. An app that may end meanwhile names its own and keeps it: the same again returns the
  /// same trip.
  absl::StatusOr<trip::v1::Trip> Request(trip::v1::RequestTripRequest request);
  /// Gives the trip another drop-off, also under way. Returns it with the new fare.
  absl::StatusOr<trip::v1::Trip> ChangeDestination(trip::v1::ChangeDestinationRequest request);
  /// Cancels the trip before its drop-off. Without a reason, the rider has changed their mind.
  absl::StatusOr<trip::v1::Trip> Cancel(trip::v1::CancelTripRequest request);

  /// The trip as it is on record.
  absl::StatusOr<trip::v1::Trip> Get(const std::string& trip_id);
  /// Fails before the wire if the id is invalid. The watch may outlive the rider.
  absl::StatusOr<std::unique_ptr<TripWatch>> Watch(const std::string& trip_id);

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace ridestream::client
