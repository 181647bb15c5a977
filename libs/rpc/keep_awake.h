#pragma once

#include "grpcpp/alarm.h"
#include "libs/base/mutex.h"

namespace ridestream::rpc {

/// Works around a delay in gRPC 1.51: a callback thread that has seen no event for a second sleeps
/// 100 ms before it polls again, so a quiet process answers late and sees answers late. While this
/// object exists, an alarm every 400 ms keeps the thread polling. Thread-safe.
class KeepAwake {
 public:
  KeepAwake();
  ~KeepAwake();
  KeepAwake(const KeepAwake&) = delete;
  KeepAwake& operator=(const KeepAwake&) = delete;

 private:
  void Set() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnAlarm();

  Mutex mu_;
  CondVar done_;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  bool armed_ ABSL_GUARDED_BY(mu_) = false;
  grpc::Alarm alarm_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ridestream::rpc
