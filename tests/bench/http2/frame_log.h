#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/base/mutex.h"
#include "tests/bench/http2/frame_decoder.h"
#include "tests/chaos/gate.h"

namespace ridestream::bench {

/// Records every frame that passes a gate in front of a plaintext server. Thread-safe.
class FrameLog {
 public:
  /// `target`: HOST:PORT of the server. An error of chaos::Gate::Open.
  static absl::StatusOr<std::unique_ptr<FrameLog>> Open(const std::string& target);
  ~FrameLog();

  /// Where clients connect.
  const std::string& address() const { return gate_->address(); }
  chaos::Gate& gate() { return *gate_; }

  std::vector<Frame> frames() const;
  /// Waits until `count` logged frames match `matches`. DEADLINE_EXCEEDED, with `what`, after a
  /// minute; INVALID_ARGUMENT if a connection didn't carry HTTP/2.
  absl::Status WaitFor(const std::string& what, std::size_t count,
                       const std::function<bool(const Frame&)>& matches) const;

 private:
  FrameLog() = default;
  void OnBytes(int connection, bool from_client, std::string_view bytes);

  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  mutable Mutex mu_;
  mutable CondVar changed_;
  std::vector<Frame> frames_ ABSL_GUARDED_BY(mu_);
  absl::Status status_ ABSL_GUARDED_BY(mu_);
  /// Used by the gate's thread only.
  std::map<std::pair<int, bool>, FrameDecoder> decoders_;
  /// Declared last, because its thread uses the other members.
  std::unique_ptr<chaos::Gate> gate_;
};

}  // namespace ridestream::bench
