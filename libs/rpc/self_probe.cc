#include "libs/rpc/self_probe.h"

#include <algorithm>
#include <utility>

#include "grpc/health/v1/health.grpc.pb.h"
#include "grpcpp/create_channel_posix.h"
#include "grpcpp/grpcpp.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/status.h"

namespace ridestream::rpc {
namespace {

/// Can't be cancelled, so the destructor may wait for it.
constexpr std::chrono::milliseconds kConnectWithin{5'000};

}  // namespace

SelfProbe::SelfProbe(Acceptor& acceptor, Options options)
    : acceptor_(acceptor), options_(std::move(options)), thread_([this] { Run(); }) {}

SelfProbe::~SelfProbe() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
    // A drain must not wait for an answer that comes late or never.
    if (call_ != nullptr) call_->TryCancel();
  }
  stop_.SignalAll();
  thread_.join();
}

void SelfProbe::Run() {
  int failures = 0;
  while (WaitForNextProbe()) {
    const absl::Status status = Probe();
    if (IsStopping()) return;
    failures = status.ok() ? 0 : failures + 1;
    if (failures >= options_.failures) return options_.on_deaf(status);
  }
}

bool SelfProbe::WaitForNextProbe() {
  const auto next = std::chrono::steady_clock::now() + options_.every;
  MutexLock lock(mu_);
  while (!stopping_) {
    const auto left = next - std::chrono::steady_clock::now();
    if (left <= std::chrono::nanoseconds(0)) return true;
    stop_.WaitFor(mu_, left);
  }
  return false;
}

bool SelfProbe::IsStopping() {
  MutexLock lock(mu_);
  return stopping_;
}

absl::Status SelfProbe::Probe() {
  absl::StatusOr<Descriptor> connection =
      acceptor_.ConnectToSelf(std::min(options_.patience, kConnectWithin));
  if (!connection.ok()) return connection.status();
  const auto channel = grpc::CreateInsecureChannelFromFd("self", connection->Release());
  const auto stub = grpc::health::v1::Health::NewStub(channel);
  grpc::ClientContext context;
  SetTimeout(context, options_.patience);
  grpc::health::v1::HealthCheckResponse response;
  {
    MutexLock lock(mu_);
    if (stopping_) return absl::CancelledError("the probe has ended");
    call_ = &context;
  }
  // Any health status will do: the server has answered.
  const grpc::Status status = stub->Check(&context, {}, &response);
  MutexLock lock(mu_);
  call_ = nullptr;
  return FromGrpcStatus(status);
}

}  // namespace ridestream::rpc
