#include "services/dispatch/rpc/planner.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "libs/rpc/caller.h"
#include "libs/rpc/channel.h"
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

/// A question to location under way.
struct Planner::Nearest {
  FindCandidates question;
  grpc::ClientContext context;
  location::v1::FindNearestRequest request;
  location::v1::FindNearestResponse response;
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

void Planner::Find(FindCandidates question) {
  {
    MutexLock lock(mu_);
    if (stopping_) return;
    ++asking_;
  }
  AskLocation(std::move(question));
}

void Planner::Find(FindRoute question) {
  AddJob([this, question = std::move(question)] {
    answer_(RouteFound{question.driver, question.request, WayThrough(question)});
  });
}

void Planner::AskLocation(FindCandidates question) {
  auto call = std::make_shared<Nearest>();
  if (question.queries.size() > kMaxQueries) question.queries.resize(kMaxQueries);
  call->question = std::move(question);
  call->request.set_market(market_);
  for (const FindCandidates::Query& query : call->question.queries) {
    auto& wire = *call->request.add_queries();
    wire.mutable_center()->set_lat_e7(query.pickup.lat_e7);
    wire.mutable_center()->set_lng_e7(query.pickup.lng_e7);
    wire.set_radius_m(query.radius_m);
    wire.set_limit(config_.candidates);
    wire.set_min_free_seats(query.party_size);
    wire.add_states(location::v1::DRIVER_STATE_IDLE);
  }
  rpc::SetTimeout(call->context, kNearestTimeout);
  rpc::SetCaller(call->context, {rpc::CallerKind::kService, "dispatch"});
  location_.async()->FindNearest(
      &call->context, &call->request, &call->response, [this, call](grpc::Status status) {
        if (status.ok()) {
          AddJob([this, call] { answer_(WithTravelTimes(call->question, call->response)); });
        } else {
          answer_(CandidatesFound{call->question.round, rpc::FromGrpcStatus(status)});
        }
        MutexLock lock(mu_);
        --asking_;
        changed_.SignalAll();
      });
}

void Planner::AddJob(std::function<void()> job) {
  MutexLock lock(mu_);
  jobs_.push_back(std::move(job));
  changed_.SignalAll();
}

void Planner::Run() {
  while (true) {
    std::function<void()> job;
    {
      MutexLock lock(mu_);
      while (jobs_.empty() && !stopping_) changed_.Wait(mu_);
      if (stopping_) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    job();
  }
}

CandidatesFound Planner::WithTravelTimes(const FindCandidates& question,
                                         const location::v1::FindNearestResponse& nearest) const {
  CandidatesFound found{question.round, std::vector<CandidatesFound::ForTrip>()};
  if (nearest.results_size() != static_cast<int>(question.queries.size())) {
    found.trips = absl::InternalError("location answered fewer questions than it was asked");
    return found;
  }
  for (std::size_t i = 0; i < question.queries.size(); ++i) {
    const auto& drivers = nearest.results(static_cast<int>(i)).drivers();
    std::vector<LatLng> places;
    for (const auto& driver : drivers) {
      places.push_back({driver.position().lat_e7(), driver.position().lng_e7()});
    }
    CandidatesFound::ForTrip for_trip{question.queries[i].trip, {}};
    const auto times = streets_.router().TravelTimesTo(question.queries[i].pickup, places,
                                                       config_.max_pickup_time);
    // An unreachable pick-up has no candidates: the trip is given up in the end.
    for (std::size_t k = 0; times.ok() && k < places.size(); ++k) {
      if (!(*times)[k]) continue;
      for_trip.candidates.push_back(
          {DriverId(drivers[static_cast<int>(k)].driver_id()), places[k], *(*times)[k]});
    }
    found.trips->push_back(std::move(for_trip));
  }
  return found;
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
