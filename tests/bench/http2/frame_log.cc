#include "tests/bench/http2/frame_log.h"

#include <fmt/format.h>

#include <algorithm>

namespace ridestream::bench {

absl::StatusOr<std::unique_ptr<FrameLog>> FrameLog::Open(const std::string& target) {
  std::unique_ptr<FrameLog> log(new FrameLog());
  auto gate = chaos::Gate::Open(
      target, [log = log.get()](int connection, bool from_client, std::string_view bytes) {
        log->OnBytes(connection, from_client, bytes);
      });
  if (!gate.ok()) return gate.status();
  log->gate_ = *std::move(gate);
  return log;
}

FrameLog::~FrameLog() = default;

void FrameLog::OnBytes(int connection, bool from_client, std::string_view bytes) {
  {
    MutexLock lock(mu_);
    if (!status_.ok()) return;
  }
  const auto decoder = decoders_
                           .try_emplace({connection, from_client}, from_client,
                                        [this, connection](Frame frame) {
                                          MutexLock lock(mu_);
                                          frame.connection = connection;
                                          frame.at =
                                              std::chrono::duration_cast<std::chrono::microseconds>(
                                                  std::chrono::steady_clock::now() - start_);
                                          frames_.push_back(std::move(frame));
                                          changed_.SignalAll();
                                        })
                           .first;
  if (absl::Status status = decoder->second.Feed(bytes); !status.ok()) {
    MutexLock lock(mu_);
    status_ = std::move(status);
    changed_.SignalAll();
  }
}

std::vector<Frame> FrameLog::frames() const {
  MutexLock lock(mu_);
  return frames_;
}

absl::Status FrameLog::WaitFor(const std::string& what, std::size_t count,
                               const std::function<bool(const Frame&)>& matches) const {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  MutexLock lock(mu_);
  std::size_t seen = 0, found = 0;
  while (true) {
    if (!status_.ok()) return status_;
    for (; seen < frames_.size(); ++seen) found += matches(frames_[seen]) ? 1 : 0;
    if (found >= count) return absl::OkStatus();
    const auto left = deadline - std::chrono::steady_clock::now();
    if (left <= left.zero()) {
      return absl::DeadlineExceededError(
          fmt::format("{} of {} frames within a minute: {}", found, count, what));
    }
    changed_.WaitFor(mu_, left);
  }
}

}  // namespace ridestream::bench
