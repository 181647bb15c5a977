#include "services/dispatch/rpc/planner.h"

#include <optional>
#include <utility>
#include <vector>

#include "libs/rpc/caller.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/request_id.h"
#include "libs/rpc/status.h"
#include "services/dispatch/streets/way_search.h"

namespace ridestream::dispatch {
namespace {

constexpr std::chrono::milliseconds kNearestTimeout{1'000};
constexpr int kMaxQueries = 1'000;

}  // namespace

/// A round of candidates: first location's answer is awaited, then it is worked through.
struct Planner::Round {
  FindCandidates question;
  grpc::ClientContext context;
  location::v1::FindNearestRequest request;
  location::v1::FindNearestResponse response;
  bool begun = false;
};

Planner::Planner(const PlannerConfig& config, std::string market, const roads::Streets& streets,
                 location::v1::LocationService::StubInterface& location, Answer answer)
    : config_(config),
      market_(std::move(market)),
      streets_(streets),
      location_(location),
      answer_(std::move(answer)),
      search_(streets.router(), {config.max_pickup_time, config.insertions}),
      thread_([this] { Run(); }) {}

Planner::~Planner() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
    while (asking_ > 0) changed_.Wait(mu_);
  }
  changed_.SignalAll();
  thread_.join();
}

void Planner::Find(FindRoute question) {
  MutexLock lock(mu_);
  routes_.push_back(std::move(question));
  changed_.SignalAll();
}

void Planner::Find(FindCandidates question, const std::vector<std::string>& request_ids) {
  {
    MutexLock lock(mu_);
    if (stopping_) return;
    ++asking_;
  }
  auto round = std::make_shared<Round>();
  if (question.queries.empty()) {  // Of moves alone: there is nothing to ask location.
    round->question = std::move(question);
    OnNearest(std::move(round), grpc::Status::OK);
    return;
  }
  if (question.queries.size() > kMaxQueries) question.queries.resize(kMaxQueries);
  round->question = std::move(question);
  round->request.set_market(market_);
  for (const FindCandidates::Query& query : round->question.queries) {
    auto& wire = *round->request.add_queries();
    wire.mutable_center()->set_lat_e7(query.pickup.lat_e7);
    wire.mutable_center()->set_lng_e7(query.pickup.lng_e7);
    wire.set_radius_m(query.radius_m);
    wire.set_limit(config_.candidates);
    wire.set_min_free_seats(query.party_size);
    wire.add_states(location::v1::DRIVER_STATE_IDLE);
  }
  rpc::SetTimeout(round->context, kNearestTimeout);
  rpc::SetCaller(round->context, {rpc::CallerKind::kService, "dispatch"});
  for (const std::string& id : request_ids) rpc::AddRequestId(round->context, id);
  location_.async()->FindNearest(
      &round->context, &round->request, &round->response,
      [this, round](const grpc::Status& status) { OnNearest(round, status); });
}

void Planner::OnNearest(std::shared_ptr<Round> round, const grpc::Status& status) {
  absl::Status failure = rpc::FromGrpcStatus(status);
  if (failure.ok() &&
      round->response.results_size() != static_cast<int>(round->question.queries.size())) {
    failure = absl::InternalError("location answered fewer questions than it was asked");
  }
  if (!failure.ok()) answer_(CandidatesFound{round->question.round, failure});
  MutexLock lock(mu_);
  if (failure.ok()) rounds_.push_back(std::move(round));
  --asking_;
  changed_.SignalAll();
}

void Planner::Run() {
  while (true) {
    std::optional<FindRoute> route;
    std::shared_ptr<Round> round;
    {
      MutexLock lock(mu_);
      while (routes_.empty() && rounds_.empty() && !stopping_) changed_.Wait(mu_);
      if (stopping_) return;
      if (!routes_.empty()) {
        route = std::move(routes_.front());
        routes_.pop_front();
      } else {
        round = rounds_.front();
      }
    }
    if (route) {
      answer_(RouteFound{route->driver, route->request, FindWay(streets_, *route)});
      continue;
    }
    if (!round->begun) Begin(*round);
    if (search_.Step()) continue;
    answer_(search_.Take());
    MutexLock lock(mu_);
    rounds_.pop_front();
  }
}

void Planner::Begin(Round& round) {
  round.begun = true;
  std::vector<std::vector<NearbyDriver>> nearby;
  for (const auto& result : round.response.results()) {
    auto& drivers = nearby.emplace_back();
    for (const auto& driver : result.drivers()) {
      drivers.push_back(
          {DriverId(driver.driver_id()), {driver.position().lat_e7(), driver.position().lng_e7()}});
    }
  }
  search_.Begin(std::move(round.question), std::move(nearby));
}

}  // namespace ridestream::dispatch
