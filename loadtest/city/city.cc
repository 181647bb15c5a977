#include "loadtest/city/city.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "libs/rpc/channel.h"
#include "libs/service/service.h"
#include "loadtest/auditor/auditor.h"
#include "loadtest/base/first_names.h"
#include "loadtest/base/wall.h"

namespace ridestream::loadtest {
namespace {

constexpr std::chrono::seconds kReachTimeout(10);
/// Long, because an overloaded service answers late, and a rider is judged by what it saw.
constexpr std::chrono::seconds kLeaveTimeout(60);
constexpr std::chrono::seconds kSettleTimeout(15);
constexpr std::chrono::milliseconds kTick(100);
/// A server admits 100 streams on a connection, and may still count one that has been lost.
constexpr size_t kDriversPerConnection = 80;

std::string IdPrefix() {
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  return fmt::format("{:x}.{}-", std::chrono::floor<std::chrono::milliseconds>(wall).count(),
                     getpid());
}

/// Uses a keepalive that soon detects a dead connection, which carries many streams. If several
/// processes are listed, uses one whose `health_part` is SERVING.
std::shared_ptr<grpc::Channel> Channel(const std::string& address, int connection,
                                       const std::string& health_part = "") {
  return rpc::MakeChannel(
      address,
      {.connection = connection, .keepalive = rpc::kInnerKeepalive, .health_part = health_part});
}

Fleet::Options FleetOptions(const CityOptions& options, const std::string& id_prefix) {
  Fleet::Options fleet;
  fleet.habits = options.driver_habits;
  fleet.seed = options.seed;
  const auto needed =
      static_cast<int>((options.fleet.size() + kDriversPerConnection - 1) / kDriversPerConnection);
  const int connections = options.connections > 0 ? options.connections : std::max(8, needed);
  for (int i = 0; i < connections; ++i) {
    fleet.channels.push_back(Channel(options.dispatch_address, i, options.market));
  }
  for (size_t i = 0; i < options.fleet.size(); ++i) {
    fleet.drivers.push_back({DriverId(fmt::format("{}d{}", id_prefix, i)),
                             std::string(FirstName(i)), options.fleet[i].seats,
                             options.fleet[i].place});
  }
  return fleet;
}

}  // namespace

City::City(CityOptions options, const roads::Streets& streets, std::unique_ptr<Demand> demand,
           std::shared_ptr<const Clock> clock)
    : options_(std::move(options)),
      streets_(streets),
      clock_(std::move(clock)),
      id_prefix_(IdPrefix()),
      cruises_(streets.router(), streets.turns()),
      first_offers_(options_.offer_log),
      record_(Channel(options_.trip_address, 0), options_.market),
      fleet_(FleetOptions(options_, id_prefix_), cruises_, clock_, timers_, tally_, first_offers_),
      crowd_({.id_prefix = id_prefix_ + "r",
              .seed = options_.seed,
              .traced_rides = static_cast<std::size_t>(options_.traced_rides),
              .make_channel = [address = options_.trip_address](
                                  int connection) { return Channel(address, connection); }},
             {options_.market, options_.rider_habits, clock_, timers_, tally_, first_offers_},
             streets.graph(), std::move(demand)),
      progress_(options_.progress, stdout, options_.fleet.size(), *clock_, tally_) {}

City::~City() {
  crowd_.Stop();
  fleet_.Stop();
}

absl::StatusOr<Report> City::Run() {
  if (absl::Status status = Reach(); !status.ok()) return status;
  if (absl::Status status = Connect(); !status.ok()) return status;
  const auto load_began = std::chrono::steady_clock::now();
  crowd_.Start(FromWall(*clock_, options_.load));
  if (stop_signals_ == 0) Phase("load", options_.load, [] { return false; });
  const std::chrono::duration<double> loaded = std::chrono::steady_clock::now() - load_began;
  Drain();
  RideFigures rides;
  const Verdict verdict = Audit(rides);
  Report report = MakeReport(tally_, verdict, rides);
  report.drivers = fleet_.size();
  report.load_s = loaded.count();
  report.is_unsettled = stop_signals_ > 1;
  report.clock_rate = static_cast<double>(FromWall(*clock_, std::chrono::seconds(1)).count()) / 1e6;
  return report;
}

absl::Status City::Reach() {
  const struct {
    const char* flag;
    const std::string& address;
  } services[] = {{"--trip", options_.trip_address},
                  {"--location", options_.location_address},
                  {"--dispatch", options_.dispatch_address}};
  for (const auto& service : services) {
    const auto channel = rpc::MakeChannel(service.address);
    if (!channel->WaitForConnected(std::chrono::system_clock::now() + kReachTimeout)) {
      return absl::UnavailableError(
          fmt::format("{}={}: there is no answer; start the services "
                      "with ./ride up",
                      service.flag, service.address));
    }
  }
  began_ = clock_->Now();
  const auto sequence = record_.LastSequence();
  if (!sequence.ok()) return sequence.status();
  log_begin_ = *sequence;
  index_watcher_ = std::make_unique<IndexWatcher>(
      IndexWatcher::Options{.market = options_.market, .driver_prefix = id_prefix_},
      streets_.graph().bounds(), Channel(options_.location_address, 0), timers_, tally_);
  return absl::OkStatus();
}

absl::Status City::Connect() {
  fleet_.Start();
  Phase("connect", options_.connect, [this] { return fleet_.welcomed() == fleet_.size(); });
  const size_t welcomed = fleet_.welcomed();
  if (welcomed == 0 && stop_signals_ > 0) {
    return absl::CancelledError("stopped before a driver got a session");
  }
  if (welcomed == 0) {
    return absl::UnavailableError(fmt::format("--dispatch={}: no driver got a session: {}",
                                              options_.dispatch_address,
                                              fleet_.last_error().ToString()));
  }
  if (welcomed < fleet_.size()) {
    service::Log(service::Level::kWarning, "drivers_missing",
                 {{"welcomed", std::to_string(welcomed)},
                  {"drivers", std::to_string(fleet_.size())},
                  {"last_error", fleet_.last_error().ToString()}});
  }
  return absl::OkStatus();
}

void City::Phase(const std::string& name, std::chrono::milliseconds longest,
                 const std::function<bool()>& done) {
  if (stop_signals_ > 1) return;
  progress_.Phase(name);
  const auto end = std::chrono::steady_clock::now() + longest;
  while (std::chrono::steady_clock::now() < end && !done()) {
    if (!service::WaitForStopSignal(kTick).empty()) return OnStopSignal();
    progress_.Tick();
  }
}

void City::OnStopSignal() {
  if (++stop_signals_ > 1) {
    service::LetStopSignalsEndTheProcess();
    progress_.PrintLine("ending at once; the report follows");
    return;
  }
  const std::string next =
      is_draining_ ? "riders who still wait cancel"
                   : fmt::format("open trips get up to {} s to end", options_.drain.count());
  progress_.PrintLine(fmt::format("stopping: {}; press Ctrl-C again to end at once", next));
}

bool City::NobodyCanCancel() const {
  return tally_.trips_by_state[trip::v1::TRIP_STATE_REQUESTED] == 0 &&
         tally_.trips_by_state[trip::v1::TRIP_STATE_ASSIGNED] == 0 &&
         tally_.trips_by_state[trip::v1::TRIP_STATE_ARRIVED] == 0;
}

// First, trips end by themselves; then riders who still wait cancel; then drivers finish their
// outstanding messages and leave, so that nothing is in flight when the record is read. Riders
// aboard stay aboard: their trips are open at the end.
void City::Drain() {
  is_draining_ = true;
  crowd_.StopRequests();
  Phase("drain", options_.drain, [this] { return crowd_.active() == 0; });
  crowd_.Leave();
  Phase("leave", kLeaveTimeout, [this] { return NobodyCanCancel(); });
  fleet_.Park();
  Phase("settle", kSettleTimeout, [this] { return fleet_.unsettled() == 0; });
  crowd_.Stop();
  fleet_.Stop();
}

Verdict City::Audit(RideFigures& rides) {
  Auditor auditor;
  crowd_.ForEachHistory([&](const RiderHistory& rider) { auditor.AddRider(rider); });
  fleet_.ForEachHistory([&](DriverHistory driver) { auditor.AddDriver(std::move(driver)); });
  auditor.AddPositions(tally_.positions_sent, tally_.positions_indexed);
  absl::Status status = record_.ReadLog(
      log_begin_, [&](const trip::v1::TripEvent& event) { auditor.AddEvent(event); });
  if (status.ok()) {
    status =
        record_.ListTrips(began_, [&](const trip::v1::Trip& trip) { auditor.AddListed(trip); });
  }
  if (!status.ok()) auditor.OnUnreadableRecord(status.ToString());
  index_watcher_->Stop();
  rides = auditor.rides();
  return auditor.Judge();
}

}  // namespace ridestream::loadtest
