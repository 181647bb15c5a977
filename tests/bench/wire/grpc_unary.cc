#include <grpcpp/grpcpp.h>

#include "absl/status/status.h"
#include "tests/bench/wire/grpc_status.h"
#include "tests/bench/wire/protocol.h"
#include "tests/bench/wire/wire.grpc.pb.h"

namespace ridestream::bench::wire {
namespace {

class UnaryService final : public Wire::CallbackService {
 public:
  explicit UnaryService(Application& application) : application_(application) {}

  grpc::ServerUnaryReactor* ReportPosition(grpc::CallbackServerContext* context,
                                           const Position* position, Ack* ack) override {
    *ack = application_.TakePosition(*position);
    return Finish(*context);
  }
  grpc::ServerUnaryReactor* QuoteTrip(grpc::CallbackServerContext* context,
                                      const QuoteTripRequest* request,
                                      QuoteTripResponse* response) override {
    *response = application_.Quote(*request);
    return Finish(*context);
  }
  grpc::ServerUnaryReactor* PollOffer(grpc::CallbackServerContext* context, const Ack* ack,
                                      DriveResponse* response) override {
    *response = application_.PollOffer(*ack);
    return Finish(*context);
  }

 private:
  static grpc::ServerUnaryReactor* Finish(grpc::CallbackServerContext& context) {
    grpc::ServerUnaryReactor* reactor = context.DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  Application& application_;
};

class UnaryClient final : public Client {
 public:
  explicit UnaryClient(int port) : stub_(Wire::NewStub(ConnectGrpc(port))) {}

  absl::Status Report(std::span<const Position> positions) override {
    for (const Position& position : positions) {
      const auto ack = Call(&Wire::Stub::ReportPosition, position);
      if (!ack.ok()) return ack.status();
    }
    return absl::OkStatus();
  }
  absl::StatusOr<QuoteTripResponse> Quote(const QuoteTripRequest& request) override {
    return Call(&Wire::Stub::QuoteTrip, request);
  }
  absl::Status Subscribe() override { return NextOffer().status(); }
  absl::StatusOr<DriveResponse> NextOffer() override {
    auto response = Call(&Wire::Stub::PollOffer, last_);
    if (response.ok() && response->has_offer()) last_.set_sequence(response->sequence());
    return response;
  }

 private:
  template <class Request, class Response>
  absl::StatusOr<Response> Call(grpc::Status (Wire::Stub::*method)(grpc::ClientContext*,
                                                                   const Request&, Response*),
                                const Request& request) {
    grpc::ClientContext context;
    Response response;
    const grpc::Status status = ((*stub_).*method)(&context, request, &response);
    if (!status.ok()) return ToAbslStatus(status);
    message_bytes_ += request.ByteSizeLong() + response.ByteSizeLong();
    return response;
  }

  std::unique_ptr<Wire::Stub> stub_;
  Ack last_;
};

}  // namespace

Protocol GrpcUnary() {
  return {.key = "grpc_unary",
          .title = "gRPC unary",
          .has_calls = true,
          .has_push = false,
          .serve =
              [](Application& application, const std::function<void(int)>& serving) {
                UnaryService service(application);
                return ServeGrpc(service, serving);
              },
          .connect = [](int port) { return std::make_unique<UnaryClient>(port); },
          .sources = {"grpc_unary.cc", "grpc_status.h"},
          .contracts = {"wire.proto"}};
}

}  // namespace ridestream::bench::wire
