#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "grpcpp/grpcpp.h"
#include "libs/rpc/call_guard.h"
#include "libs/rpc/status.h"
#include "libs/server_streams/push_stream.h"

namespace ridestream::rpc {

/// gRPC as the transport of a server stream whose logic is elsewhere. Deletes itself when gRPC is
/// done.
template <class Message>
class WriteCall final : public grpc::ServerWriteReactor<Message>,
                        public streams::StreamWriter<Message> {
 public:
  using Stream = streams::PushStream<Message>;

  /// `admission`: see CallGuard.
  explicit WriteCall(Admission admission) : admission_(std::move(admission)) {}

  /// Must be called before the handler returns this object to gRPC; `stream` writes here.
  void Attach(std::shared_ptr<Stream> stream) { stream_ = std::move(stream); }

  void Write(const Message& message) override { this->StartWrite(&message); }
  void Finish(const absl::Status& status) override {
    CallGuard::Audit(admission_, status);
    grpc::ServerWriteReactor<Message>::Finish(ToGrpcStatus(status));
  }

  void OnWriteDone(bool ok) override { stream_->OnWritten(ok); }
  void OnCancel() override { stream_->OnCancelled(); }
  void OnDone() override {
    stream_->OnDone();
    delete this;
  }

 private:
  const Admission admission_;
  std::shared_ptr<Stream> stream_;  // Set once, before gRPC knows this object.
};

/// A streams::PushStream with gRPC as its transport.
///
/// Shared: publishers hold references, and gRPC holds one (`self_`) until OnDone. Thread-safe.
template <class Response>
class PushStream final : public grpc::ServerWriteReactor<Response>,
                         private streams::StreamWriter<Response> {
 public:
  using Options = typename streams::PushStream<Response>::Options;

  /// The handler returns the raw pointer to gRPC.
  static std::shared_ptr<PushStream> Make(Options options) {
    auto stream = std::shared_ptr<PushStream>(new PushStream(std::move(options)));
    stream->self_ = stream;
    return stream;
  }

  /// See streams::PushStream.
  void Push(Response message) { stream_.Push(std::move(message)); }
  void Replace(Response message) { stream_.Replace(std::move(message)); }
  void Close(const grpc::Status& status) { stream_.Close(FromGrpcStatus(status)); }

  void OnWriteDone(bool ok) override { stream_.OnWritten(ok); }
  void OnCancel() override { stream_.OnCancelled(); }
  void OnDone() override {
    stream_.OnDone();
    self_.reset();  // Last: may delete this.
  }

 private:
  explicit PushStream(Options options) : stream_(*this, std::move(options)) {}

  void Write(const Response& message) override { this->StartWrite(&message); }
  void Finish(const absl::Status& status) override {
    grpc::ServerWriteReactor<Response>::Finish(ToGrpcStatus(status));
  }

  streams::PushStream<Response> stream_;
  std::shared_ptr<PushStream> self_;
};

/// A server stream that ends at once, with the retry pause that WithRetryAfter added to `status`.
template <class Response>
grpc::ServerWriteReactor<Response>* RefuseStream(const absl::Status& status,
                                                 grpc::CallbackServerContext* context) {
  const auto stream = PushStream<Response>::Make({});
  stream->Close(ToGrpcStatus(status, context));
  return stream.get();
}

}  // namespace ridestream::rpc
