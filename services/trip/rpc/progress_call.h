#pragma once

#include <memory>
#include <utility>

#include "grpcpp/grpcpp.h"
#include "libs/rpc/message_bytes.h"
#include "libs/rpc/status.h"
#include "services/trip/handlers/progress_reader.h"

namespace ridestream::trip {

/// gRPC as the transport of a ProgressReader. It is raw, i.e. parses what it reads itself: gRPC
/// doesn't tell a message that can't be parsed from a reporter who half-closed. Deletes itself when
/// gRPC is done.
class ProgressCall final : public grpc::ServerReadReactor<grpc::ByteBuffer>, public ProgressStream {
 public:
  explicit ProgressCall(grpc::ByteBuffer& response) : response_(response) {}
  /// Before the handler returns this to gRPC.
  void Attach(std::shared_ptr<ProgressReader> reader) { reader_ = std::move(reader); }

  void StartRead() override { ServerReadReactor::StartRead(&read_); }
  void Finish(const absl::Status& status, const v1::ReportProgressResponse& response) override {
    response_ = rpc::ToBytes(response);
    ServerReadReactor::Finish(rpc::ToGrpcStatus(status));
  }

  void OnReadDone(bool ok) override {
    if (!ok) return reader_->OnReadsEnded();
    if (!rpc::Parse(read_, report_)) {
      return reader_->Close(rpc::FromGrpcStatus(rpc::MalformedMessage()));
    }
    reader_->OnRead(report_);
  }
  void OnCancel() override {
    if (reader_ != nullptr) reader_->OnCancelled();
  }
  void OnDone() override {
    if (reader_ != nullptr) reader_->OnDone();
    delete this;
  }

 private:
  grpc::ByteBuffer& response_;
  std::shared_ptr<ProgressReader> reader_;  // Null for a call that was refused.
  grpc::ByteBuffer read_;                   // By the read that is under way.
  v1::ReportProgressRequest report_;
};

}  // namespace ridestream::trip
