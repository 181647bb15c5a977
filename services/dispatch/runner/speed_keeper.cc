#include "services/dispatch/runner/speed_keeper.h"

#include <algorithm>

#include "libs/service/service.h"

namespace ridestream::dispatch {

SpeedKeeper::SpeedKeeper(const Clock& clock, Duration update_every, roads::Streets& streets,
                         std::string market)
    : clock_(clock),
      update_every_(update_every),
      streets_(streets),
      market_(std::move(market)),
      learner_(streets.graph()),
      thread_([this] { Run(); }) {}

SpeedKeeper::~SpeedKeeper() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
    changed_.Signal();
  }
  thread_.join();
}

void SpeedKeeper::Add(StreetsDriven driven) {
  const Time now = clock_.Now();
  MutexLock lock(mu_);
  if (drives_.size() == kMaxWaiting) drives_.pop_front();
  drives_.emplace_back(std::move(driven), now);
  if (drives_.size() == 1) changed_.Signal();
}

void SpeedKeeper::Run() {
  Time update_at = clock_.Now() + update_every_;
  while (true) {
    Drives drives;
    {
      MutexLock lock(mu_);
      const auto wait = clock_.ToWall(std::max(Duration::zero(), update_at - clock_.Now()));
      if (drives_.empty() && !stopping_) changed_.WaitFor(mu_, wait);
      if (stopping_) return;
      drives.swap(drives_);
    }
    Learn(drives);
    if (clock_.Now() < update_at) continue;
    Update();
    update_at = clock_.Now() + update_every_;
  }
}

void SpeedKeeper::Learn(const Drives& drives) {
  for (const auto& [drive, at] : drives) {
    for (std::size_t i = 1; i < drive.points.size(); ++i) {
      const auto& [from, from_at] = drive.points[i - 1];
      const auto& [to, to_at] = drive.points[i];
      ++(learner_.Observe(from, to, to_at - from_at, at) ? pieces_learned_ : pieces_ignored_);
    }
  }
}

void SpeedKeeper::Update() {
  auto edge_ms = learner_.Update(clock_.Now());
  if (!edge_ms) return;
  const absl::Status status = streets_.engine().SetDurations(*std::move(edge_ms));
  if (status.ok()) {
    ++updates_;
    changed_streets_ = learner_.changed_streets();
  }
  service::Log(status.ok() ? service::Level::kInfo : service::Level::kError, "travel_times_updated",
               {{"market", market_},
                {"changed_streets", std::to_string(learner_.changed_streets())},
                {"streets", std::to_string(learner_.street_count())},
                {"error", status.ok() ? "" : status.ToString()}});
}

}  // namespace ridestream::dispatch
