#include "tests/sim/dispatch_peers.h"

#include <optional>
#include <utility>

#include "tests/sim/describe.h"

namespace ridestream::sim {
namespace {

Duration Timeout(const dispatch::CallOptions& options) {
  return std::chrono::duration_cast<Duration>(options.timeout);
}

/// A stream of the log that dispatch follows.
class LogStream final : public streams::ReadStream {
 public:
  using Message = trip::v1::FollowTripsResponse;
  using Listener = dispatch::TripPort::LogListener;

  LogStream(Context& context, Host& host, const Neighbours& neighbours,
            const trip::v1::FollowTripsRequest& request, Listener& listener,
            std::function<void(const Message&)> taken)
      : context_(context),
        link_(Link::Open(context, host, neighbours.trip_host, "log")),
        listener_(listener),
        taken_(std::move(taken)) {
    link_->WhenClosed(Side::kClient, [this](const absl::Status& status) { OnEnded(status); });
    // What is sent isn't delivered any more when this end was left.
    const auto deliver = [this](const Message& message) { OnMessage(message); };
    link_->Send(Side::kServer, [&trip = neighbours.trip, link = link_, request, deliver] {
      trip->FollowTrips(link, request, deliver);
    });
  }
  ~LogStream() override { link_->Abandon(Side::kClient); }

 private:
  void OnMessage(const Message& message) {
    if (message.has_event()) {
      context_.trace.Line("log {}: {}", message.event().sequence(),
                          sim::Describe(message.event().trip()));
    }
    Message copy = message;
    if (listener_.OnMessage(copy)) return taken_(message);
    context_.faults.Count(Fault::kMarketQueueFull);
    link_->Abandon(Side::kClient);
    OnEnded(absl::CancelledError("the market is behind"));
  }
  void OnEnded(const absl::Status& status) {
    context_.trace.Line("log ends: {}", status.ToString());
    listener_.OnEnded(status);
  }

  Context& context_;
  const std::shared_ptr<Link> link_;
  Listener& listener_;
  const std::function<void(const Message&)> taken_;
};

/// A client stream of dispatch's. As with gRPC, its end is noticed by the next write.
template <class Request>
class ReportLink final : public streams::WriteStream<Request> {
 public:
  /// `begin` is called at the server, and returns what takes the messages there.
  ReportLink(Context& context, Host& host, Host& server, std::string name,
             const std::function<Take<Request>(const std::shared_ptr<Link>&)>& begin,
             streams::WriteListener& listener)
      : context_(context),
        link_(Link::Open(context, host, server, std::move(name))),
        host_life_(host.life()),
        listener_(listener) {
    link_->WhenClosed(Side::kClient, [this](const absl::Status& status) { OnClosed(status); });
    link_->Send(Side::kServer, [begin, link = link_, take = take_] { *take = begin(link); });
  }
  ~ReportLink() override {
    life_.End();
    link_->Abandon(Side::kClient);
  }

  void Write(const Request& request) override {
    writing_ = true;
    if (!ended_) {
      link_->Send(Side::kServer, [take = take_, request] { (*take)(request); });
    }
    context_.agenda.After(context_.random.Between(Duration(0), Latency(context_) / 4), life_,
                          [this] { OnTaken(); });
  }

 private:
  void OnTaken() {
    if (host_life_.expired() || !std::exchange(writing_, false)) return;
    if (!ended_) return listener_.OnWritten(true);
    listener_.OnWritten(false);
    listener_.OnEnded(*ended_);
  }
  void OnClosed(const absl::Status& status) {
    ended_ = status;
    if (writing_) OnTaken();
  }

  Context& context_;
  const std::shared_ptr<Link> link_;
  const LifeWatch host_life_;
  Life life_;
  /// The server's; set there before the first message arrives.
  const std::shared_ptr<Take<Request>> take_ = std::make_shared<Take<Request>>();
  streams::WriteListener& listener_;
  bool writing_ = false;
  std::optional<absl::Status> ended_;
};

}  // namespace

void SimLocation::FindNearest(location::v1::FindNearestRequest request,
                              const dispatch::CallOptions& options, Done done) {
  using Response = location::v1::FindNearestResponse;
  Call<Response>::Start(
      context_, host_, neighbours_.location_host, {"find nearest", Timeout(options), true},
      [&location = neighbours_.location, request](const Reply<Response>& reply) {
        location->FindNearest(request, reply);
      },
      std::move(done));
}

void SimTrip::Execute(dispatch::TripRequest request, const dispatch::CallOptions& options,
                      CommandEnded done) {
  watch_.command(request);
  Call<trip::v1::Trip>::Start(
      context_, host_, neighbours_.trip_host, {Describe(request), Timeout(options), true},
      [&trip = neighbours_.trip, request](TripProcess::TripReply reply) {
        trip->Carry(request, std::move(reply));
      },
      std::move(done));
}

void SimTrip::ReportSurge(trip::v1::ReportSurgeRequest request,
                          const dispatch::CallOptions& options, SurgeEnded done) {
  using Response = trip::v1::ReportSurgeResponse;
  Call<Response>::Start(
      context_, host_, neighbours_.trip_host, {"surge", Timeout(options), true},
      [&trip = neighbours_.trip, request](const Reply<Response>& reply) {
        trip->ReportSurge(request, reply);
      },
      [done = std::move(done)](const absl::StatusOr<Response>& response) {
        done(response.status());
      });
}

void SimLeases::Acquire(trip::v1::AcquireLeaseRequest request, const dispatch::CallOptions& options,
                        Done<trip::v1::AcquireLeaseResponse> done) {
  using Response = trip::v1::AcquireLeaseResponse;
  Call<Response>::Start(
      context_, host_, neighbours_.trip_host, {"acquire lease", Timeout(options), true},
      [&trip = neighbours_.trip, request](Reply<Response> reply) {
        trip->AcquireLease(request, std::move(reply));
      },
      std::move(done));
}

void SimLeases::Renew(trip::v1::RenewLeaseRequest request, const dispatch::CallOptions& options,
                      Done<trip::v1::RenewLeaseResponse> done) {
  using Response = trip::v1::RenewLeaseResponse;
  Call<Response>::Start(
      context_, host_, neighbours_.trip_host, {"renew lease", Timeout(options), true},
      [&trip = neighbours_.trip, request](Reply<Response> reply) {
        trip->RenewLease(request, std::move(reply));
      },
      std::move(done));
}

void SimLeases::Release(trip::v1::ReleaseLeaseRequest request, const dispatch::CallOptions& options,
                        Done<trip::v1::ReleaseLeaseResponse> done) {
  using Response = trip::v1::ReleaseLeaseResponse;
  Call<Response>::Start(
      context_, host_, neighbours_.trip_host, {"release lease", Timeout(options), true},
      [&trip = neighbours_.trip, request](Reply<Response> reply) {
        trip->ReleaseLease(request, std::move(reply));
      },
      std::move(done));
}

std::unique_ptr<streams::ReadStream> SimTrip::FollowTrips(trip::v1::FollowTripsRequest request,
                                                          LogListener& listener) {
  return std::make_unique<LogStream>(context_, host_, neighbours_, request, listener,
                                     watch_.log_taken);
}

dispatch::PositionForwarder::Open SimPositionStreams(Context& context, Host& host,
                                                     const Neighbours& neighbours) {
  using Request = dispatch::PositionForwarder::Request;
  return [&context, &host, neighbours](streams::WriteListener& listener) {
    return std::make_unique<ReportLink<Request>>(
        context, host, neighbours.location_host, "positions",
        [&location = neighbours.location](const std::shared_ptr<Link>& link) {
          return location->ReportPositions(link);
        },
        listener);
  };
}

dispatch::ProgressReporter::Open SimProgressStreams(Context& context, Host& host,
                                                    const Neighbours& neighbours) {
  using Request = dispatch::ProgressReporter::Request;
  return [&context, &host, neighbours](streams::WriteListener& listener) {
    return std::make_unique<ReportLink<Request>>(
        context, host, neighbours.trip_host, "progress",
        [&trip = neighbours.trip](const std::shared_ptr<Link>& link) {
          return trip->ReportProgress(link);
        },
        listener);
  };
}

}  // namespace ridestream::sim
