#include "services/trip/domain/promise.h"

#include <fmt/format.h>

#include <algorithm>

#include "libs/proto_values/proto_values.h"

namespace ridestream::trip {
namespace {

constexpr std::chrono::milliseconds kLongest = std::chrono::hours(24);
constexpr std::uint32_t kMostPercent = 1'000;

absl::Status ValidateDuration(const char* term, std::chrono::milliseconds duration) {
  if (duration >= duration.zero() && duration <= kLongest) return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format("sharing.{}: must be 0 to {} ms, is {} ms", term,
                                                kLongest.count(), duration.count()));
}

std::chrono::milliseconds ToMs(const google::protobuf::Duration& duration) {
  return std::chrono::seconds(duration.seconds()) +
         std::chrono::milliseconds(duration.nanos() / 1'000'000);
}

}  // namespace

absl::Status ValidateTerms(const SharingTerms& terms) {
  if (terms.detour_percent > kMostPercent) {
    return absl::InvalidArgumentError(fmt::format("sharing.detour_percent: must be 0 to {}, is {}",
                                                  kMostPercent, terms.detour_percent));
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
  *promise.mutable_latest_pickup_at() = ToProto(requested_at + ToMs(promise.pickup_within()));
  *promise.mutable_latest_dropoff_at() = ToProto(requested_at + ToMs(promise.dropoff_within()));
}

}  // namespace ridestream::trip
