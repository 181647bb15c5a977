#include "tests/sim/location_process.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "services/location/rpc/convert.h"

namespace ridestream::sim {
namespace {

constexpr Duration kStaleness = std::chrono::seconds(30);

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
  if (const absl::Status status = location::ToReports(batch, reports); !status.ok()) {
    return context_.Violated("location refuses a batch of dispatch: " + status.ToString());
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
  const auto queries = location::ToQueries(request);
  if (!queries.ok()) {
    context_.Violated("location refuses a question of dispatch: " + queries.status().ToString());
    return reply(queries.status());
  }
  location::v1::FindNearestResponse response;
  const auto answers = index_.FindNearest(request.market(), *queries, now);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    Check(queries->at(i), answers[i]);
    auto& result = *response.add_results();
    for (const location::NearbyDriver& driver : answers[i]) {
      location::ToProto(driver, *result.add_drivers());
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
