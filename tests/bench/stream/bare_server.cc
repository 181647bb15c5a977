#include "tests/bench/stream/bare_server.h"

#include "libs/base/mutex.h"

namespace ridestream::bench {
namespace {

using dispatch::v1::DriveRequest;
using dispatch::v1::DriveResponse;

class Stream final : public grpc::ServerBidiReactor<DriveRequest, DriveResponse> {
 public:
  explicit Stream(std::atomic<std::uint64_t>& count) : count_(count) { StartRead(&request_); }

  void OnReadDone(bool ok) override {
    MutexLock lock(mu_);
    if (!ok) {
      over_ = true;
      Advance();
      return;
    }
    count_.fetch_add(1, std::memory_order_relaxed);
    if (request_.has_hello()) {
      response_due_ = Due::kWelcome;
    } else if (request_.has_ack()) {
      response_due_ = Due::kHeartbeat;
    }
    Advance();
    StartRead(&request_);
  }
  void OnWriteDone(bool ok) override {
    MutexLock lock(mu_);
    writing_ = false;
    if (!ok) response_due_ = Due::kNothing;
    Advance();
  }
  void OnDone() override { delete this; }

 private:
  enum class Due { kNothing, kWelcome, kHeartbeat };

  void Advance() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (writing_ || finished_) return;
    if (over_) {
      finished_ = true;
      Finish(grpc::Status::OK);
    } else if (response_due_ != Due::kNothing) {
      if (response_due_ == Due::kWelcome) {
        response_.mutable_welcome()->set_epoch(1);
      } else {
        response_.mutable_heartbeat();
      }
      response_due_ = Due::kNothing;
      writing_ = true;
      StartWrite(&response_);
    }
  }

  std::atomic<std::uint64_t>& count_;
  DriveRequest request_;
  Mutex mu_;
  DriveResponse response_ ABSL_GUARDED_BY(mu_);
  Due response_due_ ABSL_GUARDED_BY(mu_) = Due::kNothing;
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  bool over_ ABSL_GUARDED_BY(mu_) = false;
  bool finished_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace

grpc::ServerBidiReactor<DriveRequest, DriveResponse>* BareDispatch::Drive(
    grpc::CallbackServerContext*) {
  return new Stream(count_);
}

}  // namespace ridestream::bench
