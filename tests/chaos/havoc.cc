#include "tests/chaos/havoc.h"

#include <chrono>
#include <utility>

namespace ridestream::chaos {
namespace {

constexpr Traffic kSlow{.delay = std::chrono::milliseconds(200)};
constexpr Traffic kTrickling{.bytes_per_s = 8 * 1024};

}  // namespace

void Havoc::Begin(const Event& event) {
  threads_.emplace_back([this, event] { Run(event); });
}

void Havoc::Wait() {
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void Havoc::Run(const Event& event) {
  MutexLock busy(busy_[static_cast<std::size_t>(event.target)]);
  on_event_(event);
  const WallTime began = WallNow();
  const absl::Status status = Hurt(event);
  // For an instantaneous event, coming back is part of its recovery.
  const Occurrence occurrence{event, began, event.lasts.count() > 0 ? WallNow() : began};
  MutexLock lock(mu_);
  if (!status.ok()) failures_.push_back(status);
  occurrences_.push_back(occurrence);
}

absl::Status Havoc::Hurt(const Event& event) {
  switch (event.target) {
    case Target::kTrip:
      return HurtService(Service::kTrip, event);
    case Target::kLocation:
      return HurtService(Service::kLocation, event);
    case Target::kDispatch:
      return HurtService(Service::kDispatch, event);
    case Target::kRidersToTrip:
      return HurtLink(Link::kRidersToTrip, event);
    case Target::kDriversToDispatch:
      return HurtLink(Link::kDriversToDispatch, event);
    case Target::kDispatchToTrip:
      return HurtLink(Link::kDispatchToTrip, event);
    case Target::kDispatchToLocation:
      return HurtLink(Link::kDispatchToLocation, event);
  }
  return absl::InternalError("unreachable: all targets are handled");
}

absl::Status Havoc::HurtService(Service service, const Event& event) {
  if (event.deed == Deed::kKill) return system_.Kill(service);
  if (event.deed == Deed::kRestart) return system_.Restart(service);
  return system_.Freeze(service, event.lasts);
}

absl::Status Havoc::HurtLink(Link link, const Event& event) {
  Gate& gate = system_.gate(link);
  if (event.deed == Deed::kCut) {
    gate.Cut();
  } else if (event.deed == Deed::kHalfOpen) {
    gate.Silence();
  } else {
    gate.Shape(event.deed == Deed::kDelay ? kSlow : kTrickling);
    std::this_thread::sleep_for(event.lasts);
    gate.Shape({});
  }
  return absl::OkStatus();
}

std::vector<Occurrence> Havoc::occurrences() const {
  MutexLock lock(mu_);
  return occurrences_;
}

std::vector<absl::Status> Havoc::failures() const {
  MutexLock lock(mu_);
  return failures_;
}

}  // namespace ridestream::chaos
