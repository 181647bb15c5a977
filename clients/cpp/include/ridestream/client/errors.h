#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "absl/status/status.h"

namespace ridestream::client {

/// Where an error of this library comes from.
enum class ErrorKind {
  /// The service's status, after the retries that could help; or the app's token source failed.
  kStatus,
  /// The service would refuse a value. Nothing was sent.
  kBeforeTheWire,
  /// The service can't carry out a driver's command. The newest plan applies.
  kRejected,
  /// The service sent something that the protocol forbids.
  kProtocol,
  /// The driver was closed, or its shift ended, before a command's effect was seen.
  kStopped,
};

/// What an error says besides its code and message.
struct ErrorDetails {
  ErrorKind kind = ErrorKind::kStatus;
  /// The pause that the service asks for.
  std::optional<std::chrono::milliseconds> retry_after = std::nullopt;
  /// The market, and the host:port, to go to instead. Empty: none.
  std::string market = "";
  std::string address = "";
};

/// The details of an error that this library returned.
ErrorDetails DetailsOf(const absl::Status& error);

}  // namespace ridestream::client
