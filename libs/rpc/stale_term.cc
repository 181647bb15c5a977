#include "libs/rpc/stale_term.h"

#include "absl/strings/cord.h"

namespace ridestream::rpc {

absl::Status MarkStaleTerm(absl::Status status) {
  status.SetPayload(kStaleTermKey, absl::Cord("true"));
  return status;
}

bool IsStaleTerm(const absl::Status& status) {
  return status.GetPayload(kStaleTermKey).has_value();
}

}  // namespace ridestream::rpc
