#include "tests/sim/location_process.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>

#include "tests/sim/town.h"

namespace ridestream::sim {
namespace {

constexpr Duration kStaleness = std::chrono::seconds(30);

}  // namespace

LocationProcess::LocationProcess(Context& context, Host& host)
    : context_(context),
      host_(host),
      timers_(context, host.life()),
      handlers_({.config = {.index = {.staleness = kStaleness}},
                 .clock = context.agenda.clock(),
                 .timers = timers_}) {}

Take<LocationProcess::Batch> LocationProcess::ReportPositions(std::shared_ptr<Link> link) {
  const auto call = std::make_shared<Reporter>(context_, host_, calls_, std::move(link));
  const auto stream = handlers_.ReportPositions(*call);
  if (!stream.ok()) {
    context_.Violated("location refuses a stream of dispatch: " + stream.status().ToString());
    return [](const Batch&) {};
  }
  call->Begin(*stream);
  return [this, weak = std::weak_ptr(call)](const Batch& batch) { OnBatch(weak, batch); };
}

void LocationProcess::OnBatch(const std::weak_ptr<Reporter>& reporter, const Batch& batch) {
  if (context_.agenda.now() < behind_until_) {
    waiting_.emplace_back(reporter, batch);
  } else {
    Read(reporter, batch);
  }
}

void LocationProcess::Read(const std::weak_ptr<Reporter>& reporter, const Batch& batch) {
  if (const auto open = reporter.lock()) open->OnMessage(batch);
  context_.Expect(handlers_.index().GetStats(kMarket).positions.rejected == 0,
                  "location rejects positions of dispatch");
}

void LocationProcess::FallBehind(Duration duration) {
  behind_until_ = std::max(behind_until_, context_.agenda.now() + duration);
  context_.agenda.At(behind_until_, host_.life(), [this] {
    if (context_.agenda.now() < behind_until_) return;
    for (const auto& [reporter, batch] : std::exchange(waiting_, {})) Read(reporter, batch);
  });
}

void LocationProcess::FallSilent(Duration duration) {
  silent_until_ = std::max(silent_until_, context_.agenda.now() + duration);
}

void LocationProcess::FindNearest(const location::v1::FindNearestRequest& request,
                                  const Reply<location::v1::FindNearestResponse>& reply) {
  if (context_.agenda.now() < silent_until_) return;
  const auto response = handlers_.FindNearest({}, request);
  if (response.ok()) {
    Check(request, *response);
  } else {
    context_.Violated("location refuses a question of dispatch: " + response.status().ToString());
  }
  reply(response);
}

void LocationProcess::Check(const location::v1::FindNearestRequest& request,
                            const location::v1::FindNearestResponse& response) {
  if (response.results_size() != request.queries_size()) {
    return context_.Violated("location doesn't answer each question once");
  }
  for (int i = 0; i < response.results_size(); ++i) Check(request.queries(i), response.results(i));
}

void LocationProcess::Check(const location::v1::NearestQuery& query,
                            const location::v1::NearestResult& answer) {
  std::set<std::string> seen;
  std::uint32_t before_m = 0;
  for (const location::v1::NearbyDriver& driver : answer.drivers()) {
    const auto& states = query.states();
    const bool good = seen.insert(driver.driver_id()).second && driver.distance_m() >= before_m &&
                      driver.distance_m() <= query.radius_m() &&
                      std::chrono::milliseconds(driver.age_ms()) <= kStaleness &&
                      (states.empty() ||
                       std::find(states.begin(), states.end(), driver.state()) != states.end()) &&
                      driver.free_seats() >= query.min_free_seats();
    if (!good) {
      context_.Violated(
          fmt::format("location answers with {} twice, out of order, too far, too "
                      "old, or not as asked",
                      driver.driver_id()));
    }
    before_m = driver.distance_m();
  }
}

}  // namespace ridestream::sim
