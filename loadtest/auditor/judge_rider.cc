// The rules about a rider's history compared with the record.

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "libs/proto_values/proto_values.h"
#include "loadtest/auditor/auditor.h"
#include "loadtest/auditor/trip_states.h"

namespace ridestream::loadtest {

namespace pb = ::ridestream::trip::v1;

namespace {

/// A promise that is broken by less may be so before the service can notify the rider, e.g. while
/// the driver's connection is lost.
constexpr Duration kNotifiedWithin = std::chrono::seconds(60);

// Whether `part` is a subsequence of `whole`.
bool IsSubsequence(const std::vector<pb::TripState>& part,
                   const std::vector<pb::TripState>& whole) {
  auto at = whole.begin();
  for (const pb::TripState state : part) {
    at = std::find(at, whole.end(), state);
    if (at == whole.end()) return false;
    ++at;
  }
  return true;
}

std::string Names(const std::vector<pb::TripState>& states) {
  std::string names;
  for (const pb::TripState state : states) {
    names += fmt::format("{}{}", names.empty() ? "" : " ", StateName(state));
  }
  return names;
}

}  // namespace

void Auditor::JudgeRider(const RiderHistory& rider) {
  verdict_.Looked(Check::kRequestAnsweredOnce);
  const auto trips = trips_of_rider_.find(rider.id);
  const int on_record = trips == trips_of_rider_.end() ? 0 : trips->second;
  const int expected = rider.trip_id.empty() ? 0 : 1;
  if (expected == 0 && !rider.refusal) {
    verdict_.Violated(Check::kRequestAnsweredOnce,
                      fmt::format("rider {}: was never answered", rider.id));
  } else if (on_record != expected) {
    verdict_.Violated(Check::kRequestAnsweredOnce,
                      fmt::format("rider {}: {} trips on record, was answered {}", rider.id,
                                  on_record, expected));
  }
  if (rider.other_trip_answers > 0) {
    verdict_.Violated(Check::kRequestAnsweredOnce,
                      fmt::format("rider {}: {} further answers to the same request didn't name "
                                  "trip {}",
                                  rider.id, rider.other_trip_answers, rider.trip_id));
  }
  if (rider.trip_id.empty()) return;
  const TripRecord* record = book_.Find(rider.trip_id);
  if (record == nullptr || record->rider_id != rider.id) {
    verdict_.Violated(Check::kRequestAnsweredOnce,
                      fmt::format("rider {}: trip {} of the answer isn't its trip on record",
                                  rider.id, rider.trip_id));
    return;
  }
  JudgeFare(rider, *record);
  JudgePromise(rider, *record);
  JudgeSightings(rider, *record);
}

void Auditor::JudgeFare(const RiderHistory& rider, const TripRecord& record) {
  verdict_.Looked(Check::kFareEqualsQuote);
  const std::int64_t total = record.fare.total().amount_minor();
  if (record.whole && record.first_fare_minor != rider.quoted_minor) {
    verdict_.Violated(Check::kFareEqualsQuote,
                      fmt::format("trip {}: began with fare {}, was quoted {}", rider.trip_id,
                                  record.first_fare_minor, rider.quoted_minor.value_or(-1)));
  }
  if (!rider.fare_uncertain && total != rider.fare_minor) {
    verdict_.Violated(Check::kFareEqualsQuote,
                      fmt::format("trip {}: fare {} on record, the rider was sent {}",
                                  rider.trip_id, total, rider.fare_minor));
  }
  if (!IsTariffsSum(record.fare)) {
    verdict_.Violated(Check::kFareEqualsQuote,
                      fmt::format("trip {}: fare {} is not the tariff's sum: {}", rider.trip_id,
                                  total, record.fare.ShortDebugString()));
  }
}

void Auditor::JudgePromise(const RiderHistory& rider, const TripRecord& record) {
  verdict_.Looked(Check::kPromiseKept);
  const auto within = [](const pb::Promise& promise) {
    return std::pair(FromProto(promise.pickup_within()), FromProto(promise.dropoff_within()));
  };
  if (rider.promise.has_value() != record.promise.has_value() ||
      (rider.promise && within(*rider.promise) != within(*record.promise))) {
    verdict_.Violated(
        Check::kPromiseKept,
        fmt::format("trip {}: promised with the quote '{}', on record is '{}'", rider.trip_id,
                    rider.promise ? rider.promise->ShortDebugString() : "nothing",
                    record.promise ? record.promise->ShortDebugString() : "nothing"));
    return;
  }
  if (!record.promise) return;
  const pb::Promise& promise = *record.promise;
  if (FromProto(promise.latest_pickup_at()) - record.requested_at != within(promise).first ||
      FromProto(promise.latest_dropoff_at()) - record.requested_at != within(promise).second) {
    verdict_.Violated(Check::kPromiseKept,
                      fmt::format("trip {}: its promised times aren't those of its request: {}",
                                  rider.trip_id, promise.ShortDebugString()));
  }
  if (record.Late() > kNotifiedWithin && !rider.notified_broken) {
    verdict_.Violated(
        Check::kPromiseKept,
        fmt::format("trip {}: {:.0f} s later than promised, which the rider was "
                    "never notified",
                    rider.trip_id, std::chrono::duration<double>(record.Late()).count()));
  }
}

void Auditor::JudgeSightings(const RiderHistory& rider, const TripRecord& record) {
  verdict_.Looked(Check::kRiderSawRecord, rider.states.size());
  const bool all_kept = !rider.states_dropped && record.states.size() < TripRecord::kKeptStates;
  if (all_kept && record.whole && !IsSubsequence(rider.states, record.states)) {
    verdict_.Violated(Check::kRiderSawRecord,
                      fmt::format("trip {}: the rider saw {}, on record is {}", rider.trip_id,
                                  Names(rider.states), Names(record.states)));
  }
  if (rider.cancelled &&
      (record.state != pb::TRIP_STATE_CANCELLED || record.cancelled_by != rider.id.str())) {
    verdict_.Violated(
        Check::kRiderSawRecord,
        fmt::format("trip {}: the rider's cancellation was confirmed, on record is {}",
                    rider.trip_id, StateName(record.state)));
  }
  verdict_.Looked(Check::kAcceptedTripEnded);
  const pb::TripState last =
      rider.states.empty() ? pb::TRIP_STATE_UNSPECIFIED : rider.states.back();
  if (IsEnded(last) != IsEnded(record.state)) {
    verdict_.Violated(Check::kAcceptedTripEnded,
                      fmt::format("trip {}: is {} on record, the rider last saw {}", rider.trip_id,
                                  StateName(record.state), StateName(last)));
  }
}

}  // namespace ridestream::loadtest
