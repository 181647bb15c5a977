#include "services/location/handlers/convert.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "libs/base/validation.h"
#include "libs/proto_values/proto_values.h"

namespace ridestream::location {
namespace {

using common::v1::LatLng;

constexpr std::uint32_t kMinIntervalMs = 100;
constexpr std::uint32_t kMaxIntervalMs = 10'000;
constexpr std::uint32_t kDefaultIntervalMs = 500;

static_assert(static_cast<int>(DriverState::kIdle) == v1::DRIVER_STATE_IDLE);
static_assert(static_cast<int>(DriverState::kOffered) == v1::DRIVER_STATE_OFFERED);
static_assert(static_cast<int>(DriverState::kEnRoute) == v1::DRIVER_STATE_EN_ROUTE);
static_assert(static_cast<int>(DriverState::kOccupied) == v1::DRIVER_STATE_OCCUPIED);
static_assert(static_cast<int>(DriverState::kOffline) == v1::DRIVER_STATE_OFFLINE);

bool IsState(int state) { return state >= v1::DRIVER_STATE_IDLE && state <= v1::DriverState_MAX; }

// An unknown state maps to one that the index rejects.
DriverState ToState(int state) { return static_cast<DriverState>(IsState(state) ? state : 0); }

/// Both times are on the sender's clock. A position with a later time than its batch has the age 0.
Duration AgeAt(std::uint64_t sent_at_us, std::uint64_t received_at_us) {
  // Older than any position that is kept.
  constexpr std::uint64_t kMaxUs = Duration(std::chrono::hours(24 * 365)).count();
  if (received_at_us >= sent_at_us) return Duration::zero();
  return Duration(std::min(sent_at_us - received_at_us, kMaxUs));
}

std::uint32_t ToWholeMs(Duration age) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(age).count();
  return static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(ms, 0, std::numeric_limits<std::uint32_t>::max()));
}

absl::StatusOr<NearestQuery> ToQuery(const v1::NearestQuery& message, const std::string& field) {
  for (const absl::Status& status :
       {ValidatePlace(
            message.has_center() ? std::optional(FromProto(message.center())) : std::nullopt,
            field + ".center"),
        ValidateRange(message.radius_m(), 1, kMaxRadiusM, field + ".radius_m"),
        ValidateRange(message.limit(), 1, kMaxLimit, field + ".limit")}) {
    if (!status.ok()) return status;
  }
  NearestQuery query{FromProto(message.center()), static_cast<double>(message.radius_m()),
                     message.limit(), message.min_free_seats()};
  if (message.states_size() > 0) query.states = StateSet();
  for (int i = 0; i < message.states_size(); ++i) {
    if (!IsState(message.states(i))) {
      return absl::InvalidArgumentError(
          fmt::format("{}.states[{}]: {} is not a state", field, i, int{message.states(i)}));
    }
    query.states.Add(ToState(message.states(i)));
  }
  return query;
}

}  // namespace

absl::Status ToReports(const v1::ReportPositionsRequest& batch,
                       std::vector<PositionReport>& reports) {
  reports.clear();
  if (absl::Status status = ValidateId(batch.market(), "market"); !status.ok()) return status;
  if (batch.positions_size() > kMaxPositionsPerBatch) {
    return absl::InvalidArgumentError(fmt::format("positions: at most {} in a batch, has {}",
                                                  kMaxPositionsPerBatch, batch.positions_size()));
  }
  for (const v1::PositionReport& position : batch.positions()) {
    reports.push_back({.driver_id = position.driver_id(),
                       .session_epoch = position.session_epoch(),
                       .sequence = position.sequence(),
                       .age = AgeAt(batch.sent_at_us(), position.received_at_us()),
                       .place = {position.lat_e7(), position.lng_e7()},
                       .heading_deg = position.heading_deg(),
                       .state = ToState(position.state()),
                       .free_seats = position.free_seats()});
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<NearestQuery>> ToQueries(const v1::FindNearestRequest& request) {
  if (absl::Status status = ValidateId(request.market(), "market"); !status.ok()) {
    return status;
  }
  if (request.queries_size() < 1 || request.queries_size() > kMaxQueriesPerCall) {
    return absl::InvalidArgumentError(fmt::format("queries: 1 to {} in a call, has {}",
                                                  kMaxQueriesPerCall, request.queries_size()));
  }
  std::vector<NearestQuery> queries;
  queries.reserve(static_cast<size_t>(request.queries_size()));
  for (int i = 0; i < request.queries_size(); ++i) {
    absl::StatusOr<NearestQuery> query = ToQuery(request.queries(i), fmt::format("queries[{}]", i));
    if (!query.ok()) return query.status();
    queries.push_back(*query);
  }
  return queries;
}

absl::StatusOr<WatchedArea> ToWatchedArea(const v1::WatchAreaRequest& request) {
  for (const absl::Status& status :
       {ValidateId(request.market(), "market"),
        ValidatePlace(request.has_south_west() ? std::optional(FromProto(request.south_west()))
                                               : std::nullopt,
                      "south_west"),
        ValidatePlace(request.has_north_east() ? std::optional(FromProto(request.north_east()))
                                               : std::nullopt,
                      "north_east")}) {
    if (!status.ok()) return status;
  }
  const Area area{FromProto(request.south_west()), FromProto(request.north_east())};
  if (area.south_west.lat_e7 > area.north_east.lat_e7) {
    return absl::InvalidArgumentError(
        fmt::format("south_west.lat_e7: {} lies north of north_east.lat_e7, {}",
                    area.south_west.lat_e7, area.north_east.lat_e7));
  }
  if (!area.HasExtent()) {
    return absl::InvalidArgumentError(
        fmt::format("north_east: the area from {} to {} is empty; it needs a width and a height",
                    area.south_west.ToString(), area.north_east.ToString()));
  }
  const std::uint32_t interval_ms =
      request.interval_ms() == 0 ? kDefaultIntervalMs : request.interval_ms();
  if (absl::Status status =
          ValidateRange(interval_ms, kMinIntervalMs, kMaxIntervalMs, "interval_ms");
      !status.ok()) {
    return status;
  }
  return WatchedArea{request.market(), area, std::chrono::milliseconds(interval_ms)};
}

void ToProto(const NearbyDriver& driver, v1::NearbyDriver& message) {
  message.set_driver_id(driver.id.str());
  *message.mutable_position() = ridestream::ToProto(driver.place);
  message.set_distance_m(static_cast<std::uint32_t>(std::lround(driver.distance_m)));
  message.set_age_ms(ToWholeMs(driver.age));
  message.set_state(static_cast<v1::DriverState>(driver.state));
  message.set_free_seats(driver.free_seats);
  message.set_heading_deg(driver.heading_deg);
}

v1::WatchAreaResponse ToProto(const AreaFrame& frame) {
  v1::WatchAreaResponse message;
  message.set_snapshot(frame.snapshot);
  message.mutable_drivers()->Reserve(static_cast<int>(frame.drivers.size()));
  for (const NearbyDriver& driver : frame.drivers) ToProto(driver, *message.add_drivers());
  for (const DriverId& driver : frame.gone) message.add_gone_driver_ids(driver.str());
  return message;
}

}  // namespace ridestream::location
