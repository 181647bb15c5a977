#include "libs/rpc/proof_watch.h"

#include <iterator>
#include <utility>

namespace ridestream::rpc {

ProofWatch::ProofWatch(const Authenticator& authenticator, std::chrono::milliseconds every)
    : authenticator_(authenticator), every_(every) {
  LookLater();
}

void ProofWatch::Add(Watched watched) {
  MutexLock lock(mu_);
  watched_.push_back(std::move(watched));
}

void ProofWatch::LookLater() {
  timer_.After(every_, [this] {
    Look();
    LookLater();
  });
}

void ProofWatch::Look() {
  std::vector<Watched> all;
  {
    MutexLock lock(mu_);
    all.swap(watched_);
  }
  std::erase_if(all, [this](const Watched& watched) {
    return !watched.update(authenticator_.CheckOpenStream(watched.proof));
  });
  MutexLock lock(mu_);
  watched_.insert(watched_.end(), std::make_move_iterator(all.begin()),
                  std::make_move_iterator(all.end()));
}

}  // namespace ridestream::rpc
