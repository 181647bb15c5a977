#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/sim/context.h"
#include "tests/sim/host.h"
#include "tests/sim/link.h"

namespace ridestream::sim {

template <class Response>
using Reply = std::function<void(absl::StatusOr<Response>)>;

struct CallOptions {
  std::string name;
  Duration deadline = std::chrono::seconds(5);
  /// The retry policy of our channels: up to five attempts while the server is UNAVAILABLE.
  bool retried = false;
};

/// A unary call over a network that loses requests and replies, delays them, and repeats a request
/// whose outcome is unknown. `serve` runs at the server, once for each attempt that arrives, and
/// may reply later; `done` runs at the client exactly once, unless the client has died. Shared by
/// messages in flight. Not thread-safe.
template <class Response>
class Call : public std::enable_shared_from_this<Call<Response>> {
 public:
  using Serve = std::function<void(Reply<Response>)>;

  static void Start(Context& context, Host& client, Host& server, CallOptions options, Serve serve,
                    Reply<Response> done) {
    auto call = std::shared_ptr<Call>(
        new Call(context, client, server, std::move(options), std::move(serve), std::move(done)));
    context.agenda.After(call->options_.deadline, call->client_life_, [call] {
      call->Finish(absl::DeadlineExceededError("no answer in time"));
    });
    call->Attempt();
  }

 private:
  static constexpr int kMaxAttempts = 5;

  Call(Context& context, Host& client, Host& server, CallOptions options, Serve serve,
       Reply<Response> done)
      : context_(context),
        server_(server),
        client_life_(client.life()),
        options_(std::move(options)),
        serve_(std::move(serve)),
        done_(std::move(done)) {}

  Duration OnTheWay() {
    Duration way = Latency(context_);
    if (context_.faults.Strikes(Fault::kMessageDelayed)) {
      way += context_.random.Between(Duration(std::chrono::milliseconds(50)),
                                     Duration(std::chrono::seconds(8)));
    }
    return way;
  }

  void Attempt() {
    if (finished_) return;
    ++attempts_;
    if (!server_.up()) return Fail();
    if (context_.faults.Strikes(Fault::kRequestLost)) {
      // Otherwise the client notices nothing until the deadline.
      if (context_.random.Chance(0.5)) Fail();
      return;
    }
    const auto self = this->shared_from_this();
    const auto answered = std::make_shared<bool>(false);
    const std::uint64_t connection = server_.AddConnection([self, answered] {
      if (!std::exchange(*answered, true)) self->Fail();
    });
    context_.agenda.After(OnTheWay(), server_.life(), [self, answered, connection] {
      self->context_.trace.Line("{} arrives{}", self->options_.name,
                                self->attempts_ > 1 ? " again" : "");
      if (std::exchange(self->carried_out_, true)) {
        self->context_.faults.Count(Fault::kRequestDoubled);
      }
      self->serve_([self, answered, connection](absl::StatusOr<Response> response) {
        if (std::exchange(*answered, true)) return;
        self->server_.RemoveConnection(connection);
        self->Return(std::move(response));
      });
    });
  }

  /// The reply leaves the server.
  void Return(absl::StatusOr<Response> response) {
    if (context_.faults.Strikes(Fault::kReplyLost)) {
      if (context_.random.Chance(0.7)) Fail();
      return;
    }
    context_.agenda.After(OnTheWay(), client_life_,
                          [self = this->shared_from_this(), response = std::move(response)] {
                            if (absl::IsUnavailable(response.status())) {
                              self->RetryOrFinish(response.status());
                            } else {
                              self->Finish(response);
                            }
                          });
  }

  /// The client learns that the connection is gone.
  void Fail() {
    context_.agenda.After(Latency(context_), client_life_, [self = this->shared_from_this()] {
      self->RetryOrFinish(absl::UnavailableError("the connection is gone"));
    });
  }

  void RetryOrFinish(const absl::Status& status) {
    if (finished_) return;
    if (!options_.retried || attempts_ == kMaxAttempts) return Finish(status);
    const Duration longest = std::chrono::milliseconds(50) * (1 << attempts_);
    context_.agenda.After(context_.random.Between(Duration(0), longest), client_life_,
                          [self = this->shared_from_this()] { self->Attempt(); });
  }

  void Finish(absl::StatusOr<Response> response) {
    if (std::exchange(finished_, true)) return;
    context_.trace.Line("{} is answered {}", options_.name,
                        absl::StatusCodeToString(response.status().code()));
    done_(std::move(response));
  }

  Context& context_;
  Host& server_;
  const LifeWatch client_life_;
  const CallOptions options_;
  const Serve serve_;
  const Reply<Response> done_;
  int attempts_ = 0;
  bool carried_out_ = false;
  bool finished_ = false;
};

}  // namespace ridestream::sim
