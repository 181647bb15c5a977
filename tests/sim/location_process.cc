#include "tests/sim/location_process.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

namespace ridestream::sim {
namespace {

constexpr Duration kStaleness = std::chrono::seconds(30);

location::PositionReport FromProto(const location::v1::PositionReport& report,
                                   std::uint64_t sent_at_us) {
  return {.driver_id = report.driver_id(),
          .session_epoch = report.session_epoch(),
          .sequence = report.sequence(),
          .age = Duration(sent_at_us - report.received_at_us()),
          .place = {report.lat_e7(), report.lng_e7()},
          .heading_deg = report.heading_deg(),
          .state = static_cast<location::DriverState>(report.state()),
          .free_seats = report.free_seats()};
}

location::NearestQuery FromProto(const location::v1::NearestQuery& query) {
  location::NearestQuery result{{query.center().lat_e7(), query.center().lng_e7()},
                                static_cast<double>(query.radius_m()),
                                query.limit(),
                                query.min_free_seats()};
  if (query.states_size() > 0) result.states = location::StateSet();
  for (const int state : query.states()) {
    result.states.Add(static_cast<location::DriverState>(state));
  }
  return result;
}

}  // namespace

LocationProcess::LocationProcess(Context& context, Host& host)
    : context_(context), host_(host), index_({.staleness = kStaleness}) {}

void LocationProcess::ReportPositions(std::shared_ptr<Link> link) {
  link->WhenClosed(Side::kServer, [](const absl::Status&) {});
}

void LocationProcess::TakeBatch(const location::v1::ReportPositionsRequest& batch) {
  if (context_.agenda.now() < behind_until_) {
    waiting_.push_back(batch);
  } else {
    Apply(batch);
  }
}

void LocationProcess::Apply(const location::v1::ReportPositionsRequest& batch) {
  std::vector<location::PositionReport> reports;
  for (const auto& report : batch.positions()) {
    reports.push_back(FromProto(report, batch.sent_at_us()));
  }
  const location::ApplyCounts counts = index_.Apply(batch.market(), reports, context_.agenda.now());
  if (counts.rejected > 0) {
    context_.Violated(fmt::format("location rejects {} positions of dispatch", counts.rejected));
  }
}

void LocationProcess::FallBehind(Duration duration) {
  behind_until_ = std::max(behind_until_, context_.agenda.now() + duration);
  context_.agenda.At(behind_until_, host_.life(), [this] {
    if (context_.agenda.now() < behind_until_) return;
    for (const auto& batch : std::exchange(waiting_, {})) Apply(batch);
  });
}

void LocationProcess::FallSilent(Duration duration) {
  silent_until_ = std::max(silent_until_, context_.agenda.now() + duration);
}

void LocationProcess::FindNearest(const location::v1::FindNearestRequest& request,
                                  const Reply<location::v1::FindNearestResponse>& reply) {
  const Time now = context_.agenda.now();
  if (now < silent_until_) return;
  location::v1::FindNearestResponse response;
  for (const auto& message : request.queries()) {
    const location::NearestQuery query = FromProto(message);
    const location::NearbyDrivers found =
        index_.FindNearest(request.market(), std::span(&query, 1), now).front();
    Check(query, found);
    auto& result = *response.add_results();
    for (const location::NearbyDriver& driver : found) {
      auto& nearby = *result.add_drivers();
      nearby.set_driver_id(driver.id.str());
      nearby.mutable_position()->set_lat_e7(driver.place.lat_e7);
      nearby.mutable_position()->set_lng_e7(driver.place.lng_e7);
    }
  }
  reply(std::move(response));
}

void LocationProcess::Check(const location::NearestQuery& query,
                            const location::NearbyDrivers& answer) {
  std::set<DriverId> seen;
  double before_m = 0;
  for (const location::NearbyDriver& driver : answer) {
    const bool good = seen.insert(driver.id).second && driver.distance_m >= before_m &&
                      driver.distance_m <= query.radius_m && driver.age <= kStaleness &&
                      query.states.Has(driver.state) && driver.free_seats >= query.min_free_seats;
    if (!good) {
      context_.Violated(
          fmt::format("location answers with {} twice, out of order, too far, too "
                      "old, or not as asked",
                      driver.id));
    }
    before_m = driver.distance_m;
  }
}

}  // namespace ridestream::sim
