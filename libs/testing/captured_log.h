#pragma once

#include <spdlog/sinks/ringbuffer_sink.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <string>
#include <vector>

#include "libs/base/mutex.h"

namespace ridestream::testing {

/// Captures the newest 10,000 log lines of the process while it exists. Thread-safe.
class CapturedLog {
 public:
  CapturedLog() : before_(spdlog::default_logger()) {
    auto logger = std::make_shared<spdlog::logger>("test", lines_);
    Keep(logger);
    spdlog::set_default_logger(std::move(logger));
  }
  ~CapturedLog() { spdlog::set_default_logger(before_); }
  CapturedLog(const CapturedLog&) = delete;
  CapturedLog& operator=(const CapturedLog&) = delete;

  std::string text() const {
    std::string text;
    for (const std::string& line : lines_->last_formatted()) text += line;
    return text;
  }

 private:
  // Another thread may still be logging when the test ends, and spdlog holds no reference for it.
  static void Keep(std::shared_ptr<spdlog::logger> logger) {
    static Mutex& mu = *new Mutex;
    static auto& kept = *new std::vector<std::shared_ptr<spdlog::logger>>;
    MutexLock lock(mu);
    kept.push_back(std::move(logger));
  }

  const std::shared_ptr<spdlog::sinks::ringbuffer_sink_mt> lines_ =
      std::make_shared<spdlog::sinks::ringbuffer_sink_mt>(10'000);
  const std::shared_ptr<spdlog::logger> before_;
};

}  // namespace ridestream::testing
