#include "libs/rpc/keep_awake.h"

#include <chrono>

namespace ridestream::rpc {
namespace {

constexpr std::chrono::milliseconds kPeriod{400};

}  // namespace

KeepAwake::KeepAwake() {
  MutexLock lock(mu_);
  armed_ = true;
  Set();
}

KeepAwake::~KeepAwake() {
  MutexLock lock(mu_);
  stopping_ = true;
  alarm_.Cancel();
  while (armed_) done_.Wait(mu_);
}

void KeepAwake::Set() {
  alarm_.Set(std::chrono::system_clock::now() + kPeriod, [this](bool) { OnAlarm(); });
}

void KeepAwake::OnAlarm() {
  MutexLock lock(mu_);
  if (stopping_) {
    armed_ = false;
    done_.SignalAll();
    return;
  }
  Set();
}

}  // namespace ridestream::rpc
