#include "libs/rpc/proof_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace ridestream::rpc {

namespace {

constexpr std::chrono::seconds kRetryAfter{1};

/// Services and operators have no limit: services open streams only as a result of calls, and
/// operators are few.
bool HasShare(const Caller& caller) {
  return caller.role != CallerKind::kService && caller.role != CallerKind::kOperator;
}

}  // namespace

ProofWatch::ProofWatch(const Authenticator& authenticator, std::chrono::milliseconds every,
                       std::size_t max_streams_per_caller)
    : authenticator_(authenticator),
      every_(every),
      max_streams_per_caller_(max_streams_per_caller) {
  ScheduleCheck();
}

void ProofWatch::Add(Watched watched) {
  {
    MutexLock lock(mu_);
    const Caller& caller = watched.proof.principal;
    bool has_place = AcquireShare(caller);
    if (!has_place) {
      DropEnded(caller);
      has_place = AcquireShare(caller);
    }
    if (has_place) {
      watched_.push_back(std::move(watched));
      return;
    }
  }
  watched.update(WithRetryAfter(
      absl::ResourceExhaustedError(fmt::format("{} has {} open streams, the limit",
                                               identity::Name(watched.proof.principal),
                                               max_streams_per_caller_)),
      kRetryAfter));
}

bool ProofWatch::AcquireShare(const Caller& caller) {
  if (!HasShare(caller)) return true;
  std::size_t& open = streams_of_[identity::Name(caller)];
  if (open >= max_streams_per_caller_) return false;
  ++open;
  return true;
}

void ProofWatch::ReleaseShare(const Caller& caller) {
  const auto share = streams_of_.find(identity::Name(caller));
  if (HasShare(caller) && --share->second == 0) streams_of_.erase(share);
}

void ProofWatch::DropEnded(const Caller& caller) {
  const auto ended = std::remove_if(watched_.begin(), watched_.end(), [&](const Watched& watched) {
    return watched.proof.principal == caller && !watched.update(absl::OkStatus());
  });
  for (auto count = watched_.end() - ended; count > 0; --count) ReleaseShare(caller);
  watched_.erase(ended, watched_.end());
}

void ProofWatch::ScheduleCheck() {
  timer_.After(every_, [this] {
    CheckAll();
    ScheduleCheck();
  });
}

void ProofWatch::CheckAll() {
  std::vector<Watched> all;
  {
    MutexLock lock(mu_);
    all.swap(watched_);
  }
  const auto ended = std::partition(all.begin(), all.end(), [this](const Watched& watched) {
    return watched.update(authenticator_.CheckOpenStream(watched.proof));
  });
  MutexLock lock(mu_);
  for (auto it = ended; it != all.end(); ++it) ReleaseShare(it->proof.principal);
  all.erase(ended, all.end());
  watched_.insert(watched_.end(), std::make_move_iterator(all.begin()),
                  std::make_move_iterator(all.end()));
}

}  // namespace ridestream::rpc
