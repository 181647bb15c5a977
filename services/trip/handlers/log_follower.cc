#include "services/trip/handlers/log_follower.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace ridestream::trip {

std::shared_ptr<LogFollower> LogFollower::Make(
    streams::StreamWriter<v1::FollowTripsResponse>& writer, Options options) {
  auto follower = std::shared_ptr<LogFollower>(new LogFollower(std::move(options)));
  // Weak: the follower holds the stream.
  std::weak_ptr<LogFollower> weak = follower;
  Stream::Options stream_options{
      // A stream holds two pages, or a little more where a thread of the transport reports late
      // that it
      // drained.
      .max_queue = 4 * follower->options_.page_events,
      .on_done =
          [weak] {
            if (const auto self = weak.lock()) self->options_.on_done(self.get());
          },
      .on_drained =
          [weak] {
            if (const auto self = weak.lock()) self->OnDrained();
          },
  };
  follower->stream_ = std::make_shared<Stream>(writer, std::move(stream_options));
  return follower;
}

void LogFollower::Begin(std::uint64_t after, std::uint64_t caught_up_at) {
  cursor_ = after;
  caught_up_at_ = caught_up_at;
  {
    MutexLock lock(mu_);
    begun_ = true;
  }
  Advance();
}

void LogFollower::BeginAfter(std::uint64_t after) {
  if (const std::uint64_t last = options_.store.LastSequence(); after <= last) {
    return Begin(after, last);
  }
  RunOnReader([self = shared_from_this(), after] {
    const absl::StatusOr<std::uint64_t> last = self->options_.store.ReadLastSequence();
    if (!last.ok()) return self->Close(last.status());
    if (after > *last) {
      return self->Close(absl::OutOfRangeError(
          fmt::format("after_sequence: {} is beyond the end of the log, {}: this is a different "
                      "log; follow it from the beginning or with oldest_open",
                      after, *last)));
    }
    self->Begin(after, *last);
  });
}

void LogFollower::BeginAtOldestOpen() {
  RunOnReader([self = shared_from_this()] {
    // In this order: a trip that begins in between has its first event after `last`.
    const std::uint64_t last = self->options_.store.LastSequence();
    const absl::StatusOr<std::optional<std::uint64_t>> oldest =
        self->options_.store.OldestOpen(self->options_.markets);
    if (!oldest.ok()) return self->Close(oldest.status());
    self->Begin(oldest->has_value() ? std::min(**oldest - 1, last) : last, last);
  });
}

void LogFollower::Close(const absl::Status& status) { stream_->Close(status); }

void LogFollower::OnDrained() {
  {
    MutexLock lock(mu_);
    busy_ = false;
  }
  Advance();
}

void LogFollower::Advance() {
  {
    MutexLock lock(mu_);
    wanted_ = true;
    if (!begun_ || pumping_) return;
    pumping_ = true;
  }
  Pump();
}

/// Whether this thread goes on pumping; if not, whoever calls Advance() next does.
bool LogFollower::MayGoOn() {
  MutexLock lock(mu_);
  if (wanted_ && !busy_) {
    wanted_ = false;
    return true;
  }
  pumping_ = false;
  return false;
}

void LogFollower::Pump() {
  while (MayGoOn()) {
    if (!said_caught_up_ && cursor_ >= caught_up_at_) {
      Send({}, cursor_);
      continue;
    }
    const std::optional<LogTail::Events> page = options_.tail.Read(cursor_, options_.page_events);
    if (!page) return ReadFromStore();
    if (page->empty()) continue;
    std::vector<const v1::TripEvent*> events;
    for (const auto& event : *page) events.push_back(event.get());
    Send(events, events.back()->sequence());
  }
}

/// The reader's thread takes the pump over.
void LogFollower::ReadFromStore() {
  RunOnReader([self = shared_from_this()] {
    const absl::StatusOr<LogPage> page = self->options_.store.ReadLog(
        self->cursor_, self->options_.markets, self->options_.page_events);
    if (!page.ok()) return self->Close(page.status());
    if (page->last_sequence > self->cursor_) {
      std::vector<const v1::TripEvent*> events;
      for (const v1::TripEvent& event : page->events) events.push_back(&event);
      self->Send(events, page->last_sequence);
    }
    self->Pump();
  });
}

void LogFollower::RunOnReader(std::function<void()> work) {
  if (!options_.readers.TryRun(std::move(work))) {
    Close(absl::UnavailableError(
        "too many reads wait; follow again from the last sequence received"));
  }
}

/// Each drained stream is given at most one page more, and it may drain in the midst of being given
/// one: that makes two.
void LogFollower::Send(const std::vector<const v1::TripEvent*>& events,
                       std::uint64_t last_sequence) {
  {
    MutexLock lock(mu_);
    busy_ = true;
  }
  bool pushed = false;
  const auto push = [&](v1::FollowTripsResponse message) {
    stream_->Push(std::move(message));
    pushed = true;
  };
  const auto say_caught_up = [&] {
    v1::FollowTripsResponse message;
    message.mutable_caught_up()->set_sequence(caught_up_at_);
    said_caught_up_ = true;
    push(std::move(message));
  };
  for (const v1::TripEvent* event : events) {
    if (!said_caught_up_ && event->sequence() > caught_up_at_) say_caught_up();
    if (!Wants(*event)) continue;
    v1::FollowTripsResponse message;
    *message.mutable_event() = *event;
    push(std::move(message));
  }
  cursor_ = last_sequence;
  if (!said_caught_up_ && cursor_ >= caught_up_at_) say_caught_up();

  MutexLock lock(mu_);
  wanted_ = true;
  if (!pushed) busy_ = false;  // Nothing will drain.
}

bool LogFollower::Wants(const v1::TripEvent& event) const {
  return std::find(options_.markets.begin(), options_.markets.end(), event.trip().market()) !=
         options_.markets.end();
}

}  // namespace ridestream::trip
