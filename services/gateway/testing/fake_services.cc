#include "services/gateway/testing/fake_services.h"

#include <fmt/format.h>

#include <cstdlib>
#include <utility>

namespace ridestream::gateway {
namespace {

/// A unary call that ends when its caller goes away.
class Never final : public grpc::ServerUnaryReactor {
 public:
  explicit Never(Event& cancelled) : cancelled_(cancelled) {}
  void OnCancel() override {
    cancelled_.Happen();
    Finish(grpc::Status::CANCELLED);
  }
  void OnDone() override { delete this; }

 private:
  Event& cancelled_;
};

/// WatchArea: sends `count` frames, each after the one before was taken, and ends. With 0, sends
/// nothing and ends when the call is cancelled.
class Frames final : public grpc::ServerWriteReactor<location::v1::WatchAreaResponse> {
 public:
  Frames(FakeServices& fake, location::v1::WatchAreaResponse frame)
      : fake_(fake), left_(1), frame_(std::move(frame)) {
    StartWrite(&frame_);
  }
  Frames(FakeServices& fake, int count, std::size_t bytes) : fake_(fake), left_(count) {
    frame_.add_gone_driver_ids(std::string(bytes, 'x'));
    if (left_ > 0) StartWrite(&frame_);
  }
  void OnWriteDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::CANCELLED);
    ++fake_.frames;
    if (--left_ > 0) return StartWrite(&frame_);
    Finish(grpc::Status::OK);
  }
  void OnCancel() override {
    fake_.watch_cancelled.Happen();
    if (left_ == 0) Finish(grpc::Status::CANCELLED);
  }
  void OnDone() override { delete this; }

 private:
  FakeServices& fake_;
  int left_;
  location::v1::WatchAreaResponse frame_;
};

/// Drive: answers each position.
class Echo final
    : public grpc::ServerBidiReactor<dispatch::v1::DriveRequest, dispatch::v1::DriveResponse> {
 public:
  Echo() { StartRead(&request_); }
  void OnReadDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::OK);
    response_.set_sequence(request_.position().sequence());
    StartWrite(&response_);
  }
  void OnWriteDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::CANCELLED);
    StartRead(&request_);
  }
  void OnDone() override { delete this; }

 private:
  dispatch::v1::DriveRequest request_;
  dispatch::v1::DriveResponse response_;
};

/// A trip with the driver jane-doe and the rider ada-lovelace.
trip::v1::Trip NamedTrip() {
  trip::v1::Trip trip;
  trip.set_trip_id("t-1");
  trip.mutable_passenger()->set_rider_id("ada-lovelace");
  trip.mutable_passenger()->set_name("Ada L.");
  trip.mutable_passenger()->set_note("blue coat");
  trip.mutable_driver()->set_driver_id("jane-doe");
  trip.mutable_driver()->set_name("Jane");
  trip.mutable_driver()->mutable_vehicle()->set_plate("RS 1");
  return trip;
}

grpc::ServerUnaryReactor* End(grpc::CallbackServerContext* context, const grpc::Status& status) {
  auto* reactor = context->DefaultReactor();
  reactor->Finish(status);
  return reactor;
}

}  // namespace

class FakeServices::Trip final : public trip::v1::TripService::CallbackService {
 public:
  explicit Trip(FakeServices& fake) : fake_(fake) {}

  grpc::ServerUnaryReactor* QuoteTrip(grpc::CallbackServerContext* context,
                                      const trip::v1::QuoteTripRequest* request,
                                      trip::v1::QuoteTripResponse* response) override {
    const auto& metadata = context->client_metadata();
    const auto caller = metadata.find("ridestream-caller");
    if (caller != metadata.end()) {
      context->AddInitialMetadata("seen-caller", {caller->second.data(), caller->second.size()});
    }
    const auto proof = metadata.find("authorization");
    if (proof != metadata.end()) {
      context->AddInitialMetadata("seen-authorization",
                                  {proof->second.data(), proof->second.size()});
    }
    const auto market = metadata.find("ridestream-market");
    if (market != metadata.end()) {
      context->AddInitialMetadata("seen-market", {market->second.data(), market->second.size()});
    }
    const auto [first, last] = metadata.equal_range("x-request-id");
    for (auto id = first; id != last; ++id) {
      context->AddInitialMetadata("seen-request-id", {id->second.data(), id->second.size()});
    }
    const auto trace = metadata.find("traceparent");
    if (trace != metadata.end()) {
      context->AddInitialMetadata("seen-traceparent", {trace->second.data(), trace->second.size()});
    }
    context->AddInitialMetadata("seen-peer", context->peer());
    const auto left = context->deadline() - std::chrono::system_clock::now();
    context->AddInitialMetadata(
        "seen-timeout-ms",
        std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(left).count()));
    context->AddTrailingMetadata("trailing-bin", std::string("\0\1", 2));
    response->set_quote_id(request->market());
    response->mutable_fare()->set_length_m(request->party_size());
    return End(context, grpc::Status::OK);
  }

  grpc::ServerUnaryReactor* RequestTrip(grpc::CallbackServerContext* context,
                                        const trip::v1::RequestTripRequest* request,
                                        trip::v1::RequestTripResponse*) override {
    {
      MutexLock lock(mu_);
      last_ = *request;
    }
    context->AddTrailingMetadata("retry-after-ms", "1500");
    return End(context, {grpc::StatusCode::RESOURCE_EXHAUSTED, "busy"});
  }

  grpc::ServerUnaryReactor* GetTrip(grpc::CallbackServerContext* context,
                                    const trip::v1::GetTripRequest* request,
                                    trip::v1::GetTripResponse* response) override {
    if (request->trip_id() != "t-1") {
      return End(context,
                 {grpc::StatusCode::NOT_FOUND,
                  fmt::format("trip_id: there is no trip '{}' à la carte", request->trip_id())});
    }
    response->mutable_trip()->set_trip_id("t-1");
    response->mutable_trip()->set_state(trip::v1::TRIP_STATE_ABOARD);
    response->mutable_trip()->set_version(7);
    return End(context, grpc::Status::OK);
  }

  grpc::ServerUnaryReactor* ListTrips(grpc::CallbackServerContext*,
                                      const trip::v1::ListTripsRequest*,
                                      trip::v1::ListTripsResponse*) override {
    fake_.list_began.Happen();
    return new Never(fake_.list_cancelled);
  }

  grpc::ServerWriteReactor<trip::v1::FollowTripsResponse>* FollowTrips(
      grpc::CallbackServerContext*, const trip::v1::FollowTripsRequest* request) override {
    const auto stream = rpc::PushStream<trip::v1::FollowTripsResponse>::Make({});
    for (std::uint64_t sequence = request->after_sequence() + 1; sequence <= 5; ++sequence) {
      trip::v1::FollowTripsResponse response;
      response.mutable_event()->set_sequence(sequence);
      if (!request->markets().empty() && request->markets(0) == "named") {
        *response.mutable_event()->mutable_trip() = NamedTrip();
      }
      stream->Push(std::move(response));
    }
    stream->Close(grpc::Status::OK);
    return stream.get();
  }

  trip::v1::RequestTripRequest last() {
    MutexLock lock(mu_);
    return last_;
  }

 private:
  FakeServices& fake_;
  Mutex mu_;
  trip::v1::RequestTripRequest last_ ABSL_GUARDED_BY(mu_);
};

class FakeServices::Location final : public location::v1::LocationService::CallbackService {
 public:
  explicit Location(FakeServices& fake) : fake_(fake) {}

  grpc::ServerWriteReactor<location::v1::WatchAreaResponse>* WatchArea(
      grpc::CallbackServerContext*, const location::v1::WatchAreaRequest* request) override {
    fake_.watch_began.Happen();
    if (request->market() == "silent") return new Frames(fake_, 0, 0);
    if (request->market() == "flood") return new Frames(fake_, 1 << 30, 64 << 10);
    if (request->market() == "named") {
      location::v1::WatchAreaResponse frame;
      frame.add_drivers()->set_driver_id("jane-doe");
      return new Frames(fake_, std::move(frame));
    }
    return new Frames(fake_, 3, 1);
  }

  grpc::ServerUnaryReactor* FindNearest(grpc::CallbackServerContext* context,
                                        const location::v1::FindNearestRequest* request,
                                        location::v1::FindNearestResponse* response) override {
    {
      MutexLock lock(mu_);
      last_ = *request;
    }
    for (int i = 0; i < request->queries_size(); ++i) {
      response->add_results()->add_drivers()->set_driver_id("d-1");
    }
    return End(context, grpc::Status::OK);
  }

  location::v1::FindNearestRequest last() {
    MutexLock lock(mu_);
    return last_;
  }

 private:
  FakeServices& fake_;
  Mutex mu_;
  location::v1::FindNearestRequest last_ ABSL_GUARDED_BY(mu_);
};

class FakeServices::Dispatch final : public dispatch::v1::DispatchService::CallbackService {
 public:
  grpc::ServerBidiReactor<dispatch::v1::DriveRequest, dispatch::v1::DriveResponse>* Drive(
      grpc::CallbackServerContext*) override {
    return new Echo();
  }

  grpc::ServerUnaryReactor* GetDriver(grpc::CallbackServerContext* context,
                                      const dispatch::v1::GetDriverRequest* request,
                                      dispatch::v1::GetDriverResponse* response) override {
    if (request->driver_id() != "jane-doe") {
      return End(context, {grpc::StatusCode::NOT_FOUND,
                           fmt::format("driver_id: {} has no session", request->driver_id())});
    }
    response->set_name("Jane");
    response->mutable_vehicle()->set_model("Prius");
    *response->mutable_plan()->add_stops()->mutable_passenger() = NamedTrip().passenger();
    return End(context, grpc::Status::OK);
  }
};

FakeServices::FakeServices()
    : trip_(std::make_unique<Trip>(*this)),
      location_(std::make_unique<Location>(*this)),
      dispatch_(std::make_unique<Dispatch>()) {
  auto server = rpc::Server::Start({.services = {trip_.get(), location_.get(), dispatch_.get()}});
  if (!server.ok()) {
    fmt::print(stderr, "{}\n", server.status().ToString());
    std::abort();
  }
  server_ = *std::move(server);
}

FakeServices::~FakeServices() { server_.reset(); }

std::string FakeServices::address() const { return fmt::format("127.0.0.1:{}", server_->port()); }

trip::v1::RequestTripRequest FakeServices::last_request_trip() { return trip_->last(); }

location::v1::FindNearestRequest FakeServices::last_find_nearest() { return location_->last(); }

}  // namespace ridestream::gateway
