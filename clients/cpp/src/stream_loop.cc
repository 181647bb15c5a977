#include "clients/cpp/src/stream_loop.h"

#include <string>
#include <utility>
#include <vector>

#include "google/protobuf/message.h"
#include "grpc/support/time.h"

namespace ridestream::client {

struct StreamLoop::Stream {
  std::shared_ptr<grpc::Channel> channel;
  grpc::ClientContext context;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call;
  grpc::Status status;
  // Reading: the start or a read is under way, and its end begins the finish. Idle: the owner has a
  // message, and the next read begins when it asks for more.
  enum class State { kReading, kIdle, kFinishing, kFinished } state = State::kReading;
  bool can_send = false;
  bool is_sending = false;
  bool is_cut = false;
};

void* StreamLoop::ToPointer(Tag tag) { return reinterpret_cast<void*>(tag); }

StreamLoop::StreamLoop() = default;

StreamLoop::~StreamLoop() {
  Cut();
  // An alarm that is set must live until the queue has returned it: gRPC 1.51 frees it at once,
  // even while its timer fires on another thread.
  queue_.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) {
  }
}

void StreamLoop::Open(std::shared_ptr<grpc::Channel> channel, const std::string& method,
                      const Proof& proof, const std::string& market) {
  Cut();
  stream_ = std::make_unique<Stream>();
  stream_->channel = std::move(channel);
  AddMetadata(stream_->context, proof, market);
  stream_->call =
      grpc::GenericStub(stream_->channel).PrepareCall(&stream_->context, method, &queue_);
  stream_->call->StartCall(ToPointer(Tag::kStarted));
}

bool StreamLoop::CanSend() const { return stream_ && stream_->can_send; }

void StreamLoop::Send(const google::protobuf::Message& message) { Write(message, {}); }

void StreamLoop::SendLast(const google::protobuf::Message& message) {
  Write(message, grpc::WriteOptions().set_last_message());
}

void StreamLoop::Write(const google::protobuf::Message& message, grpc::WriteOptions options) {
  if (!CanSend()) return;
  const std::string bytes = message.SerializeAsString();
  const grpc::Slice slice(bytes);
  stream_->can_send = false;
  stream_->is_sending = true;
  stream_->call->Write(grpc::ByteBuffer(&slice, 1), options, ToPointer(Tag::kSent));
}

void StreamLoop::Cut() {
  if (!stream_) return;
  stream_->is_cut = true;
  stream_->context.TryCancel();
  if (stream_->state == Stream::State::kIdle) Finish();
  while (stream_) {
    void* tag = nullptr;
    bool ok = false;
    queue_.Next(&tag, &ok);
    is_woken_ |=
        OnDone(static_cast<Tag>(reinterpret_cast<std::uintptr_t>(tag)), ok) == Event::kWoken;
  }
}

StreamLoop::Event StreamLoop::Next(Time deadline) {
  if (std::exchange(is_woken_, false)) return Event::kWoken;
  if (stream_ && stream_->state == Stream::State::kIdle) Read();
  for (;;) {
    void* tag = nullptr;
    bool ok = false;
    if (queue_.AsyncNext(&tag, &ok, deadline) != grpc::CompletionQueue::GOT_EVENT) {
      return Event::kTimeout;
    }
    const auto event = OnDone(static_cast<Tag>(reinterpret_cast<std::uintptr_t>(tag)), ok);
    if (event) return *event;
  }
}

std::optional<StreamLoop::Event> StreamLoop::OnDone(Tag tag, bool ok) {
  switch (tag) {
    case Tag::kWoken: {
      absl::MutexLock lock(&mu_);
      alarm_.reset();
      return Event::kWoken;
    }
    case Tag::kStarted:
      if (!ok || stream_->is_cut) {
        Finish();
        return std::nullopt;
      }
      stream_->can_send = true;
      Read();
      return Event::kSent;
    case Tag::kRead:
      if (ok && !stream_->is_cut) {
        stream_->state = Stream::State::kIdle;
        return Event::kMessage;
      }
      Finish();
      return std::nullopt;
    case Tag::kSent:
      stream_->is_sending = false;
      // If it failed, the read ends too, and the finish says why.
      stream_->can_send = ok && stream_->state < Stream::State::kFinishing;
      break;
    case Tag::kFinished:
      stream_->state = Stream::State::kFinished;
      break;
  }
  if (stream_->state == Stream::State::kFinished && !stream_->is_sending) {
    status_ = StatusOf(stream_->status, stream_->context);
    stream_.reset();
    return Event::kClosed;
  }
  return tag == Tag::kSent ? std::optional(Event::kSent) : std::nullopt;
}

void StreamLoop::Read() {
  stream_->state = Stream::State::kReading;
  stream_->call->Read(&message_, ToPointer(Tag::kRead));
}

void StreamLoop::Finish() {
  stream_->state = Stream::State::kFinishing;
  stream_->can_send = false;
  stream_->call->Finish(&stream_->status, ToPointer(Tag::kFinished));
}

bool StreamLoop::Parse(google::protobuf::Message& message) const {
  std::vector<grpc::Slice> slices;
  if (!message_.Dump(&slices).ok()) return false;
  std::string bytes;
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return message.ParseFromString(bytes);
}

void StreamLoop::Wake() {
  absl::MutexLock lock(&mu_);
  if (alarm_) return;
  alarm_ = std::make_unique<grpc::Alarm>();
  alarm_->Set(&queue_, gpr_now(GPR_CLOCK_MONOTONIC), ToPointer(Tag::kWoken));
}

}  // namespace ridestream::client
