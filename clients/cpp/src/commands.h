#pragma once

#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "ridestream/dispatch/v1/dispatch.pb.h"

namespace ridestream::client {

/// What a command gets: an answer to an offer its end, the shift's end nothing, others the newest
/// plan.
using CommandResult = std::variant<std::monostate, dispatch::v1::OfferEnded, dispatch::v1::Plan>;
using OnResult = std::function<void(const absl::StatusOr<CommandResult>&)>;

/// The commands whose effect hasn't been seen, in the order in which they were given. Each stream
/// sends them again. Not thread-safe.
class Commands {
 public:
  /// Adds a command and returns whether it has to be sent. The same command again only adds to
  /// those who wait for it; another answer to the same question is refused.
  bool Add(dispatch::v1::DriveRequest request, OnResult on_result);
  std::vector<dispatch::v1::DriveRequest> requests() const;
  bool IsEndingShift() const;
  /// Whether the message rejects a command that waits.
  bool IsAnswer(const dispatch::v1::DriveResponse& message) const;

  /// Settles what the push answers; `newest` is the plan that applies now.
  void OnPush(const dispatch::v1::DriveResponse& message, const dispatch::v1::Plan& newest);
  /// Settles what the snapshot's plan shows to be done: the plan that answered it may be lost.
  void OnSnapshot(const dispatch::v1::Plan& plan);
  void OnShiftEnded();
  void FailAll(const absl::Status& error);

 private:
  struct Pending {
    std::string key;
    dispatch::v1::DriveRequest request;
    std::vector<OnResult> waiting;
  };

  const Pending* Find(const std::string& key) const;
  void Settle(const std::string& key, const absl::StatusOr<CommandResult>& result);

  std::vector<Pending> pending_;
};

}  // namespace ridestream::client
