#pragma once

#include <string>

#include "absl/status/status.h"
#include "grpcpp/support/status.h"
#include "ridestream/client/errors.h"

namespace ridestream::client {

/// Streams in a row that may end with a fault before the service is given up.
inline constexpr int kMaxFaults = 5;

/// An error with these details.
absl::Status MakeError(absl::StatusCode code, const std::string& message,
                       const ErrorDetails& details);
absl::Status ProtocolError(const std::string& message);
absl::Status Stopped();

/// Whether the code is a fault of the service, or of what answers in its place.
bool IsFault(absl::StatusCode code);

/// A token is tried again once it has been refused only if it is another one.
class RefusedProof {
 public:
  /// The proof was refused. Whether asking for a new one may help.
  bool MayRetry(const std::string& proof);

 private:
  std::string refused_;
};

}  // namespace ridestream::client
