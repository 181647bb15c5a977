#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <utility>

#include "grpcpp/grpcpp.h"
#include "grpcpp/support/client_callback.h"
#include "libs/base/mutex.h"
#include "libs/rpc/status.h"
#include "libs/streams/stream_ports.h"

namespace ridestream::rpc {

// gRPC as the transport of libs/streams.

/// A server stream.
template <class Request, class Response>
class ClientReadStream final : public streams::ReadStream,
                               private grpc::ClientReadReactor<Response> {
 public:
  /// Starts the call on a stub: `stub.async()->Follow(context, request, reactor)`.
  using Start =
      std::function<void(grpc::ClientContext*, Request*, grpc::ClientReadReactor<Response>*)>;

  ClientReadStream(const Start& start, streams::ReadListener<Response>& listener)
      : listener_(listener) {
    start(&context_, &request_, this);
    this->StartRead(&response_);
    this->StartCall();
  }
  ~ClientReadStream() override {
    context_.TryCancel();
    MutexLock lock(mu_);
    while (!done_) changed_.Wait(mu_);
  }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) return;
    if (listener_.OnMessage(response_)) {
      this->StartRead(&response_);
    } else {
      context_.TryCancel();
    }
  }
  void OnDone(const grpc::Status& status) override {
    listener_.OnEnded(FromGrpcStatus(status));
    MutexLock lock(mu_);
    done_ = true;
    changed_.SignalAll();
  }

  streams::ReadListener<Response>& listener_;
  grpc::ClientContext context_;
  Request request_;
  Response response_;
  Mutex mu_;
  CondVar changed_;
  bool done_ ABSL_GUARDED_BY(mu_) = false;
};

/// A client stream. The owner notices its end at the next write.
template <class Request, class Response>
class ClientWriteStream final : public streams::WriteStream<Request>,
                                private grpc::ClientWriteReactor<Request> {
 public:
  /// Starts the call on a stub: `stub.async()->Report(context, response, reactor)`.
  using Start =
      std::function<void(grpc::ClientContext*, Response*, grpc::ClientWriteReactor<Request>*)>;

  ClientWriteStream(const Start& start, streams::WriteListener& listener) : listener_(listener) {
    start(&context_, &response_, this);
    // The hold accounts for writes that are started outside of reactions.
    this->AddHold();
    this->StartCall();
  }
  ~ClientWriteStream() override {
    context_.TryCancel();
    ReleaseHold();
    MutexLock lock(mu_);
    while (!done_) changed_.Wait(mu_);
  }

  void Write(const Request& request) override { this->StartWrite(&request); }

 private:
  void OnWriteDone(bool ok) override {
    if (!ok) ReleaseHold();
    listener_.OnWritten(ok);
  }
  void OnDone(const grpc::Status& status) override {
    listener_.OnEnded(FromGrpcStatus(status));
    MutexLock lock(mu_);
    done_ = true;
    changed_.SignalAll();
  }
  void ReleaseHold() {
    if (held_.exchange(false)) this->RemoveHold();
  }

  streams::WriteListener& listener_;
  grpc::ClientContext context_;
  Response response_;
  std::atomic<bool> held_ = true;
  Mutex mu_;
  CondVar changed_;
  bool done_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace ridestream::rpc
