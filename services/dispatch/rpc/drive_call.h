#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "grpcpp/grpcpp.h"
#include "libs/rpc/call_guard.h"
#include "libs/rpc/call_observer.h"
#include "ridestream/dispatch/v1/dispatch.pb.h"
#include "services/dispatch/drive/drive_stream.h"

namespace ridestream::dispatch {

/// Full name of the method, for the observer of calls.
inline constexpr char kDriveMethod[] = "/ridestream.dispatch.v1.DispatchService/Drive";

/// Maximum size of a driver's message: several times that of the longest Hello.
inline constexpr std::size_t kMaxDriveRequestBytes = 4'096;

/// gRPC as the transport of a DriveStream. It uses gRPC's raw interface and parses messages itself,
/// since gRPC doesn't distinguish an unparsable message from a half-close, and limits message sizes
/// for the whole server only. Deletes itself when gRPC is done.
class DriveCall final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                        public DuplexStream {
 public:
  /// `admission`: the driver's admitted call.
  DriveCall(grpc::CallbackServerContext& context, rpc::Admission admission)
      : context_(context), admission_(std::move(admission)) {}
  /// Starts to read. gRPC owns the call from now on. `observer` is notified when the call has
  /// ended, and may be null.
  void Begin(std::shared_ptr<DriveStream> stream, rpc::CallObserver* observer);

  void Write(const v1::DriveResponse& message) override;
  void Finish(const absl::Status& status) override;
  void Cancel() override { context_.TryCancel(); }

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override { stream_->OnWritten(ok); }
  void OnCancel() override { stream_->OnCancelled(); }
  void OnDone() override;

 private:
  /// Also checks the policy again with the first message.
  absl::Status ParseRead();

  grpc::CallbackServerContext& context_;
  const rpc::Admission admission_;
  // Shared with the session, which may still wake it after gRPC is done.
  std::shared_ptr<DriveStream> stream_;
  rpc::CallObserver* observer_ = nullptr;
  grpc::ByteBuffer read_;  // By the read that is under way.
  v1::DriveRequest request_;
  bool is_first_ = true;        // Of the messages.
  grpc::ByteBuffer in_flight_;  // By the write that is under way.
};

}  // namespace ridestream::dispatch
