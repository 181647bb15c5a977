#include "services/dispatch/rpc/planner.h"

#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "libs/rpc/caller.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/request_id.h"
#include "libs/rpc/status.h"

namespace ridestream::dispatch {
namespace {

constexpr std::chrono::milliseconds kNearestTimeout{1'000};
constexpr int kMaxQueries = 1'000;

/// Appends a piece of way to a route in the wire's form, whose points are differences.
class RouteBuilder {
 public:
  explicit RouteBuilder(common::v1::Route& route) : route_(route) {}

  void Append(const roads::Route& way) {
    for (std::size_t i = 0; i < way.points.size(); ++i) {
      if (i == 0 && route_.lat_e7_size() > 0) continue;  // The stop, where the way before ended.
      const LatLng point = way.points[i];
      route_.add_lat_e7(point.lat_e7 - last_.lat_e7);
      route_.add_lng_e7(point.lng_e7 - last_.lng_e7);
      last_ = point;
    }
    for (const std::uint32_t piece_ms : way.leg_ms) {
      route_.add_piece_ms(piece_ms);
      duration_ms_ += piece_ms;
    }
    length_m_ += way.length_m;
    route_.set_duration_ms(duration_ms_);
    route_.set_length_m(static_cast<std::uint32_t>(std::lround(length_m_)));
  }
  Duration duration() const { return std::chrono::milliseconds(duration_ms_); }

 private:
  common::v1::Route& route_;
  LatLng last_;
  std::uint32_t duration_ms_ = 0;
  double length_m_ = 0;
};

}  // namespace

/// A round of candidates: first location's answer is awaited, then its trips are worked through.
struct Planner::Round {
  FindCandidates question;
  grpc::ClientContext context;
  location::v1::FindNearestRequest request;
  location::v1::FindNearestResponse response;
  std::vector<CandidatesFound::ForTrip> found;
  bool done() const { return found.size() == question.queries.size(); }
};

Planner::Planner(const PlannerConfig& config, std::string market, const roads::Streets& streets,
                 location::v1::LocationService::StubInterface& location, Answer answer)
    : config_(config),
      market_(std::move(market)),
      streets_(streets),
      location_(location),
      answer_(std::move(answer)),
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
      answer_(RouteFound{route->driver, route->request, WayThrough(*route)});
      continue;
    }
    if (!round->done()) WorkOn(*round);
    if (!round->done()) continue;
    answer_(CandidatesFound{round->question.round, std::move(round->found)});
    MutexLock lock(mu_);
    rounds_.pop_front();
  }
}

void Planner::WorkOn(Round& round) const {
  const std::size_t next = round.found.size();
  const FindCandidates::Query& query = round.question.queries[next];
  const auto& drivers = round.response.results(static_cast<int>(next)).drivers();
  std::vector<LatLng> places;
  places.reserve(static_cast<std::size_t>(drivers.size()));
  for (const auto& driver : drivers) {
    places.push_back({driver.position().lat_e7(), driver.position().lng_e7()});
  }
  CandidatesFound::ForTrip for_trip{query.trip, {}};
  const auto times = streets_.router().TravelTimesTo(query.pickup, places, config_.max_pickup_time);
  // An unreachable pick-up has no candidates: the trip is given up in the end.
  for (std::size_t i = 0; times.ok() && i < places.size(); ++i) {
    if (!(*times)[i]) continue;
    for_trip.candidates.push_back(
        {DriverId(drivers[static_cast<int>(i)].driver_id()), places[i], *(*times)[i]});
  }
  round.found.push_back(std::move(for_trip));
}

absl::StatusOr<RouteFound::Way> Planner::WayThrough(const FindRoute& question) const {
  RouteFound::Way way;
  RouteBuilder builder(way.route);
  LatLng from = question.from;
  for (const LatLng& stop : question.stops) {
    const absl::StatusOr<roads::Route> leg = streets_.router().FindRoute(from, stop);
    if (!leg.ok()) return leg.status();
    builder.Append(*leg);
    way.to_stop.push_back(builder.duration());
    from = stop;
  }
  return way;
}

}  // namespace ridestream::dispatch
