#include "services/trip/domain/promise.h"

#include <fmt/format.h>

#include <algorithm>

#include "libs/proto_values/proto_values.h"

namespace ridestream::trip {
namespace {

absl::Status ValidateDuration(const char* term, std::chrono::milliseconds duration) {
  if (duration >= duration.zero() && duration <= kLongestTerm) return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format("sharing.{}: must be 0 to {} ms, is {} ms", term,
                                                kLongestTerm.count(), duration.count()));
}

}  // namespace

absl::Status ValidateTerms(const SharingTerms& terms) {
  if (terms.detour_percent > kMaxDetourPercent) {
    return absl::InvalidArgumentError(fmt::format("sharing.detour_percent: must be 0 to {}, is {}",
                                                  kMaxDetourPercent, terms.detour_percent));
  }
  absl::Status status = ValidateDuration("pickup_within", terms.pickup_within);
  if (status.ok()) status = ValidateDuration("min_detour", terms.min_detour);
  return status;
}

v1::Promise MakePromise(const SharingTerms& terms, std::chrono::milliseconds direct) {
  const std::chrono::milliseconds detour =
      std::max(terms.min_detour, direct * terms.detour_percent / 100);
  v1::Promise promise;
  *promise.mutable_pickup_within() = ToProto(terms.pickup_within);
  *promise.mutable_dropoff_within() = ToProto(terms.pickup_within + direct + detour);
  return promise;
}

void SetPromisedTimes(Time requested_at, v1::Promise& promise) {
  *promise.mutable_latest_pickup_at() = ToProto(requested_at + FromProto(promise.pickup_within()));
  *promise.mutable_latest_dropoff_at() =
      ToProto(requested_at + FromProto(promise.dropoff_within()));
}

}  // namespace ridestream::trip
