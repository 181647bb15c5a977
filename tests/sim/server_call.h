#pragma once

#include <fmt/format.h>

#include <functional>
#include <memory>
#include <set>
#include <utility>

#include "libs/server_streams/pull_stream.h"
#include "libs/server_streams/push_stream.h"
#include "tests/sim/context.h"
#include "tests/sim/host.h"
#include "tests/sim/link.h"

namespace ridestream::sim {

/// The open calls of a process, which gRPC would hold. They end with their process.
using OpenCalls = std::set<std::shared_ptr<void>>;

/// The server's end of a link, as the transport of a server stream. Not thread-safe.
template <class Message>
class ServerCall final : public streams::StreamWriter<Message>,
                         public std::enable_shared_from_this<ServerCall<Message>> {
 public:
  /// Takes a message: at the client, or for a look at what is sent.
  using Deliver = std::function<void(const Message&)>;

  ServerCall(Context& context, Host& host, OpenCalls& calls, std::shared_ptr<Link> link,
             Deliver deliver, Deliver on_sent)
      : context_(context),
        host_(host),
        calls_(calls),
        link_(std::move(link)),
        deliver_(std::move(deliver)),
        on_sent_(std::move(on_sent)) {}

  void Begin(std::shared_ptr<streams::PushStream<Message>> stream) {
    stream_ = std::move(stream);
    calls_.insert(this->shared_from_this());
    link_->WhenClosed(Side::kServer, [weak = this->weak_from_this()](const absl::Status&) {
      if (const auto self = weak.lock()) self->stream_->OnCancelled();
    });
  }

  void Write(const Message& message) override {
    on_sent_(message);
    link_->Send(Side::kClient, [deliver = deliver_, message] { deliver(message); });
    After(TakenAfter(),
          [](ServerCall& self) { self.stream_->OnWritten(self.link_->IsOpen(Side::kServer)); });
  }

  void Finish(const absl::Status& status) override {
    link_->Close(Side::kServer, status);
    After(Latency(context_), [](ServerCall& self) {
      self.stream_->OnDone();
      self.calls_.erase(self.shared_from_this());
    });
  }

 private:
  /// When the client's window has room for the next message.
  Duration TakenAfter() {
    using std::chrono::milliseconds;
    if (context_.faults.Strikes(Fault::kReaderSlow)) {
      return context_.random.Between(Duration(milliseconds(50)), Duration(std::chrono::seconds(8)));
    }
    return context_.random.Between(Duration(0), Duration(milliseconds(3)));
  }

  template <class Event>
  void After(Duration delay, Event event) {
    context_.agenda.After(delay, host_.life(),
                          [self = this->shared_from_this(), event] { event(*self); });
  }

  Context& context_;
  Host& host_;
  OpenCalls& calls_;
  const std::shared_ptr<Link> link_;
  const Deliver deliver_;
  const Deliver on_sent_;
  std::shared_ptr<streams::PushStream<Message>> stream_;
};

/// Takes a message that has arrived at the server.
template <class Request>
using Take = std::function<void(const Request&)>;

/// The server's end of a link, as the transport of a client stream of a service. A message that the
/// service itself sends must never be rejected as invalid. Not thread-safe.
template <class Request, class Response>
class ServerReadCall final
    : public streams::StreamReader<Response>,
      public std::enable_shared_from_this<ServerReadCall<Request, Response>> {
 public:
  using Stream = streams::PullStream<Request, Response>;

  ServerReadCall(Context& context, Host& host, OpenCalls& calls, std::shared_ptr<Link> link)
      : context_(context), host_(host), calls_(calls), link_(std::move(link)) {}

  void Begin(std::shared_ptr<Stream> stream) {
    stream_ = std::move(stream);
    calls_.insert(this->shared_from_this());
    link_->WhenClosed(Side::kServer, [weak = std::weak_ptr(stream_)](const absl::Status&) {
      if (const auto open = weak.lock()) open->OnCancelled();
    });
  }

  void StartRead() override { reading_ = true; }
  void Finish(const absl::Status& status, const Response&) override {
    context_.Expect(!absl::IsInvalidArgument(status),
                    fmt::format("{}: a message is refused: {}", link_->name(), status.ToString()));
    reading_ = false;
    link_->Close(Side::kServer, status);
    context_.agenda.After(Latency(context_), host_.life(), [self = this->shared_from_this()] {
      self->stream_->OnDone();
      self->calls_.erase(self);
    });
  }

  void OnMessage(const Request& message) {
    if (std::exchange(reading_, false)) stream_->OnRead(message);
  }

 private:
  Context& context_;
  Host& host_;
  OpenCalls& calls_;
  const std::shared_ptr<Link> link_;
  std::shared_ptr<Stream> stream_;
  bool reading_ = false;
};

}  // namespace ridestream::sim
