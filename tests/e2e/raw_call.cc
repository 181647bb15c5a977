#include "tests/e2e/raw_call.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "grpcpp/generic/generic_stub.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/request_id.h"

namespace ridestream::e2e {

std::string PathOf(const google::protobuf::MethodDescriptor& method) {
  return fmt::format("/{}/{}", method.service()->full_name(), method.name());
}

grpc::Status CallRaw(const std::shared_ptr<grpc::Channel>& channel,
                     const google::protobuf::MethodDescriptor& method, const Metadata& metadata,
                     const std::vector<std::string>& messages) {
  grpc::ClientContext context;
  for (const auto& [name, value] : metadata) context.AddMetadata(name, value);
  // Appears wherever a service logs this request.
  context.AddMetadata(rpc::kRequestIdKey, "raw-call");
  rpc::SetTimeout(context, std::chrono::seconds(30));
  grpc::CompletionQueue queue;
  // Whether the single pending operation succeeded.
  const auto wait = [&queue] {
    void* tag = nullptr;
    bool done = false;
    return queue.Next(&tag, &done) && done;
  };
  grpc::GenericStub stub(channel);
  const auto call = stub.PrepareCall(&context, PathOf(method), &queue);
  call->StartCall(nullptr);
  bool open = wait();
  for (const std::string& message : messages) {
    if (!open) break;
    const grpc::Slice slice(message);
    call->Write(grpc::ByteBuffer(&slice, 1), nullptr);
    open = wait();
  }
  if (open) {
    call->WritesDone(nullptr);
    wait();
  }
  const bool endless = method.server_streaming() && !method.client_streaming();
  bool answered = false;
  grpc::ByteBuffer answer;
  for (call->Read(&answer, nullptr); wait(); call->Read(&answer, nullptr)) {
    if (endless && !std::exchange(answered, true)) context.TryCancel();
  }
  grpc::Status status;
  call->Finish(&status, nullptr);
  wait();
  return answered ? grpc::Status::OK : status;
}

}  // namespace ridestream::e2e
