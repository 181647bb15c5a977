#include "loadtest/rider/crowd.h"

#include <fmt/format.h>

#include <cstdint>
#include <random>
#include <utility>

#include "libs/tracing/trace_context.h"

namespace ridestream::loadtest {
namespace {

/// Each rider has at most one watch and one call at a time; a server admits 100 streams on a
/// connection.
constexpr rpc::ChannelPool::Options kChannels{.streams_per_channel = 40, .max_channels = 1'000};

}  // namespace

Crowd::Crowd(Options options, RiderWorld world, const roads::RoadGraph& graph,
             std::unique_ptr<Demand> demand)
    : options_(std::move(options)),
      world_(std::move(world)),
      graph_(graph),
      channels_(options_.make_channel, kChannels),
      demand_(std::move(demand)),
      places_(options_.seed) {}

Crowd::~Crowd() { Stop(); }

void Crowd::Start(Duration load) {
  MutexLock lock(mu_);
  start_ = world_.clock->Now();
  load_ = load;
  next_ = demand_->Next();
  ArmArrival();
}

void Crowd::ArmArrival() {
  if (next_ && next_->due >= load_) next_.reset();
  arrival_ = 0;
  if (!next_) return;
  const Duration ahead = start_ + next_->due - world_.clock->Now();
  arrival_ = world_.timers.After(world_.clock->ToWall(ahead), [this] { Arrive(); });
}

// Creates all riders who are due by now: after a late wake-up there may be many.
void Crowd::Arrive() {
  std::vector<std::shared_ptr<Rider>> due;
  {
    MutexLock lock(mu_);
    const Time now = world_.clock->Now();
    while (next_ && next_->due < load_ && start_ + next_->due <= now) {
      due.push_back(MakeRider(*next_));
      next_ = demand_->Next();
    }
    ArmArrival();
    changed_.SignalAll();
  }
  for (const auto& rider : due) rider->Start();
}

namespace {

/// The traceparent of a new sampled trace with random ids.
std::string NewTraceParent() {
  std::random_device device;
  const auto draw = [&device] {
    // Never 0, which is not a valid id.
    return static_cast<std::uint64_t>(device()) << 32 | device() | 1;
  };
  return tracing::FormatTraceParent(
      {.trace_id = {draw(), draw()}, .span_id = {draw()}, .sampled = true});
}

}  // namespace

std::shared_ptr<Rider> Crowd::MakeRider(const Request& request) {
  const size_t number = riders_++;
  ++world_.tally.requested;
  RiderBehaviour::Wish wish{RiderId(fmt::format("{}{}", options_.id_prefix, number)),
                            start_ + request.due, roads::RandomPointOnStreet(graph_, places_)};
  RiderBehaviour behaviour(std::move(wish), world_.habits, Random(options_.seed, number));
  auto rider = std::make_shared<Rider>(
      world_, channels_.Take(), request, std::move(behaviour),
      [this, number](Rider& done) { OnDone(done, number); },
      number < options_.traced_rides ? NewTraceParent() : "");
  active_.emplace(number, rider);
  return rider;
}

void Crowd::OnDone(Rider& rider, size_t number) {
  RiderHistory history = rider.history();
  std::shared_ptr<Rider> released;  // Releases the last reference, if it is one, without the lock.
  MutexLock lock(mu_);
  histories_.push_back(std::move(history));
  const auto found = active_.find(number);
  released = std::move(found->second);
  active_.erase(found);
  changed_.SignalAll();
}

std::vector<std::shared_ptr<Rider>> Crowd::Active() const {
  MutexLock lock(mu_);
  std::vector<std::shared_ptr<Rider>> riders;
  riders.reserve(active_.size());
  for (const auto& [number, rider] : active_) riders.push_back(rider);
  return riders;
}

void Crowd::StopRequests() {
  TimerQueue::Handle arrival = 0;
  {
    MutexLock lock(mu_);
    load_ = Duration::zero();
    next_.reset();
    arrival = std::exchange(arrival_, 0);
  }
  world_.timers.Cancel(arrival);
}

void Crowd::Leave() {
  for (const auto& rider : Active()) rider->Leave();
}

void Crowd::WaitUntilIdle() {
  MutexLock lock(mu_);
  while (next_ || !active_.empty()) changed_.Wait(mu_);
}

void Crowd::Stop() {
  StopRequests();
  for (const auto& rider : Active()) rider->Stop();
  MutexLock lock(mu_);
  while (!active_.empty()) changed_.Wait(mu_);
}

size_t Crowd::active() const {
  MutexLock lock(mu_);
  return active_.size();
}

}  // namespace ridestream::loadtest
