#include "services/trip/handlers/trip_feed.h"

#include <algorithm>
#include <utility>

namespace ridestream::trip {
namespace {

absl::Status Closing() {
  return absl::UnavailableError("the service is stopping; open the stream again");
}

}  // namespace

void TripFeed::Publish(const std::vector<EventPtr>& events) {
  tail_.Append(events);
  std::vector<std::shared_ptr<LogFollower>> followers;
  {
    MutexLock lock(mu_);
    followers = followers_;
  }
  for (const auto& follower : followers) follower->Wake();
  for (const EventPtr& event : events) {
    for (const auto& watcher : WatchersOf(event->trip().trip_id())) watcher->OnTrip(event->trip());
  }
}

void TripFeed::Report(const v1::ReportProgressRequest& report) {
  for (const v1::TripProgress& entry : report.trips()) {
    for (const auto& watcher : WatchersOf(entry.trip_id())) watcher->OnProgress(entry.progress());
  }
}

TripFeed::Watchers TripFeed::WatchersOf(const std::string& trip_id) {
  MutexLock lock(mu_);
  const auto found = watchers_.find(trip_id);
  return found == watchers_.end() ? Watchers() : found->second;
}

absl::Status TripFeed::Add(std::shared_ptr<LogFollower> follower) {
  MutexLock lock(mu_);
  if (closed_) return Closing();
  followers_.push_back(std::move(follower));
  return absl::OkStatus();
}

absl::Status TripFeed::Add(std::shared_ptr<TripWatcher> watcher) {
  MutexLock lock(mu_);
  if (closed_) return Closing();
  watchers_[watcher->trip_id().str()].push_back(std::move(watcher));
  return absl::OkStatus();
}

absl::Status TripFeed::Add(std::shared_ptr<ProgressReader> reader) {
  MutexLock lock(mu_);
  if (closed_) return Closing();
  readers_.emplace(reader.get(), reader);
  return absl::OkStatus();
}

void TripFeed::Remove(LogFollower* follower) {
  MutexLock lock(mu_);
  std::erase_if(followers_, [&](const auto& other) { return other.get() == follower; });
}

void TripFeed::Remove(TripWatcher* watcher) {
  MutexLock lock(mu_);
  const auto found = watchers_.find(watcher->trip_id().str());
  if (found == watchers_.end()) return;
  std::erase_if(found->second, [&](const auto& other) { return other.get() == watcher; });
  if (found->second.empty()) watchers_.erase(found);
}

void TripFeed::Remove(ProgressReader* reader) {
  MutexLock lock(mu_);
  readers_.erase(reader);
}

void TripFeed::Close() {
  std::vector<std::shared_ptr<LogFollower>> followers;
  std::map<ProgressReader*, std::shared_ptr<ProgressReader>> readers;
  std::map<std::string, Watchers, std::less<>> watchers;
  {
    MutexLock lock(mu_);
    closed_ = true;
    followers.swap(followers_);
    readers.swap(readers_);
    watchers.swap(watchers_);
  }
  for (const auto& follower : followers) follower->Close(Closing());
  for (const auto& [raw, reader] : readers) reader->Close(Closing());
  for (const auto& [trip_id, of_trip] : watchers) {
    for (const auto& watcher : of_trip) watcher->Close(Closing());
  }
}

}  // namespace ridestream::trip
