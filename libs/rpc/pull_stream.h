#pragma once

#include <memory>
#include <utility>

#include "grpcpp/grpcpp.h"
#include "libs/rpc/call_guard.h"
#include "libs/rpc/message_bytes.h"
#include "libs/rpc/status.h"
#include "libs/server_streams/pull_stream.h"

namespace ridestream::rpc {

/// gRPC as the transport of a client stream whose logic is elsewhere. It uses gRPC's raw API and
/// parses messages itself, because gRPC doesn't distinguish a message that can't be parsed from a
/// half-close. It reuses one message object, so its strings are allocated once. Deletes itself when
/// gRPC is done.
template <class Request, class Response>
class ReadCall final : public grpc::ServerReadReactor<grpc::ByteBuffer>,
                       public streams::StreamReader<Response> {
 public:
  using Stream = streams::PullStream<Request, Response>;

  ReadCall(grpc::CallbackServerContext& context, grpc::ByteBuffer& response)
      : context_(context), response_(response) {}

  /// Must be called before the handler returns this object to gRPC; `stream` reads from here.
  /// `admission` was decided by the caller only, and the first message decides again. A refused
  /// call is finished instead.
  void Attach(std::shared_ptr<Stream> stream, Admission admission) {
    stream_ = std::move(stream);
    admission_ = std::move(admission);
  }

  void StartRead() override { ServerReadReactor::StartRead(&read_); }
  void Finish(const absl::Status& status, const Response& response) override {
    response_ = ToBytes(response);
    ServerReadReactor::Finish(ToGrpcStatus(status, &context_));
  }

  void OnReadDone(bool ok) override {
    if (!ok) return stream_->OnReadsEnded();
    if (!Parse(read_, message_)) return stream_->Close(FromGrpcStatus(MalformedMessage()));
    if (std::exchange(is_first_, false)) {
      const absl::Status status = CallGuard::AdmitRequest(admission_, message_);
      if (!status.ok()) return stream_->Close(status);
    }
    stream_->OnRead(message_);
  }
  void OnCancel() override {
    if (stream_ != nullptr) stream_->OnCancelled();
  }
  void OnDone() override {
    if (stream_ != nullptr) stream_->OnDone();
    delete this;
  }

 private:
  grpc::CallbackServerContext& context_;
  grpc::ByteBuffer& response_;
  std::shared_ptr<Stream> stream_;  // Null for a refused call.
  Admission admission_;
  // Used by the pending read.
  grpc::ByteBuffer read_;
  Request message_;
  bool is_first_ = true;  // Whether the next message is the first one.
};

}  // namespace ridestream::rpc
