#include "services/dispatch/runner/planner.h"

#include <utility>

#include "libs/proto_values/proto_values.h"
#include "services/dispatch/streets/way_search.h"

namespace ridestream::dispatch {
namespace {

/// Maximum number of queries that location answers in one call.
constexpr std::size_t kMaxQueries = 1'000;
constexpr std::chrono::milliseconds kNearestTimeout{1'000};

}  // namespace

Planner::Planner(const PlannerConfig& config, std::string market, const roads::Streets& streets,
                 std::unique_ptr<LocationPort> location, Executor& executor, Answer answer)
    : config_(config),
      market_(std::move(market)),
      streets_(streets),
      answer_(std::move(answer)),
      search_(streets.router(), {config.max_pickup_time, config.insertions}),
      worker_(executor.Start([this] { return Work(); })),
      location_(std::move(location)) {}

Planner::~Planner() = default;

void Planner::Find(FindRoute question) {
  {
    MutexLock lock(mu_);
    routes_.push_back(std::move(question));
  }
  worker_->Wake();
}

void Planner::Find(FindCandidates question, const std::vector<std::string>& request_ids,
                   const std::string& traceparent) {
  if (question.queries.empty()) {  // Of moves alone: there is nothing to ask location.
    return Enqueue(std::make_unique<Round>(Round{std::move(question), {}}));
  }
  if (question.queries.size() > kMaxQueries) question.queries.resize(kMaxQueries);
  location::v1::FindNearestRequest request;
  request.set_market(market_);
  for (const FindCandidates::Query& query : question.queries) {
    auto& wire = *request.add_queries();
    *wire.mutable_center() = ToProto(query.pickup);
    wire.set_radius_m(query.radius_m);
    wire.set_limit(config_.candidates);
    wire.set_min_free_seats(query.party_size);
    wire.add_states(location::v1::DRIVER_STATE_IDLE);
  }
  location_->FindNearest(std::move(request), {kNearestTimeout, request_ids, traceparent},
                         [this, question = std::move(question)](auto response) mutable {
                           OnNearest(std::move(question), std::move(response));
                         });
}

void Planner::OnNearest(FindCandidates question,
                        absl::StatusOr<location::v1::FindNearestResponse> response) {
  if (response.ok() && response->results_size() != static_cast<int>(question.queries.size())) {
    response = absl::InternalError("location returned fewer answers than queries");
  }
  if (!response.ok()) return answer_(CandidatesFound{question.round, response.status()});
  Enqueue(std::make_unique<Round>(Round{std::move(question), *std::move(response)}));
}

void Planner::Enqueue(std::unique_ptr<Round> round) {
  {
    MutexLock lock(mu_);
    rounds_.push_back(std::move(round));
  }
  worker_->Wake();
}

std::optional<std::chrono::nanoseconds> Planner::Work() {
  std::optional<FindRoute> route;
  Round* round = nullptr;
  {
    MutexLock lock(mu_);
    if (!routes_.empty()) {
      route = std::move(routes_.front());
      routes_.pop_front();
    } else if (!rounds_.empty()) {
      round = rounds_.front().get();
    }
  }
  if (route) {
    answer_(RouteFound{route->driver, route->request, FindWay(streets_, *route)});
  } else if (round != nullptr) {
    if (!round->begun) Begin(*round);
    if (!search_.Step()) {
      answer_(search_.Take());
      MutexLock lock(mu_);
      rounds_.pop_front();
    }
  } else {
    return std::nullopt;
  }
  return std::chrono::nanoseconds(0);
}

void Planner::Begin(Round& round) {
  round.begun = true;
  std::vector<std::vector<NearbyDriver>> nearby;
  for (const auto& result : round.response.results()) {
    auto& drivers = nearby.emplace_back();
    for (const auto& driver : result.drivers()) {
      drivers.push_back({DriverId(driver.driver_id()), FromProto(driver.position())});
    }
  }
  search_.Begin(std::move(round.question), std::move(nearby));
}

}  // namespace ridestream::dispatch
