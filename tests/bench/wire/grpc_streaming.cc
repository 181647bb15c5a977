#include <grpcpp/alarm.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "tests/bench/wire/grpc_status.h"
#include "tests/bench/wire/protocol.h"
#include "tests/bench/wire/wire.grpc.pb.h"

namespace ridestream::bench::wire {
namespace {

/// Answers a stream's requests in order. `answer` may return none.
template <class Request, class Response, class Answer>
class Answering final : public grpc::ServerBidiReactor<Request, Response> {
 public:
  explicit Answering(Answer answer) : answer_(std::move(answer)) { this->StartRead(&request_); }

  void OnReadDone(bool ok) override {
    if (!ok) return this->Finish(grpc::Status::OK);
    std::optional<Response> response = answer_(request_);
    if (!response.has_value()) return this->StartRead(&request_);
    response_ = std::move(*response);
    this->StartWrite(&response_);
  }
  void OnWriteDone(bool ok) override {
    if (!ok) return this->Finish(grpc::Status::CANCELLED);
    this->StartRead(&request_);
  }
  void OnDone() override { delete this; }

 private:
  Answer answer_;
  Request request_;
  Response response_;
};

/// Pushes an offer, waits for the pause, and repeats.
class Pushing final : public grpc::ServerWriteReactor<DriveResponse> {
 public:
  explicit Pushing(std::chrono::microseconds pause) : pause_(pause) {
    StartSendInitialMetadata();  // Shows the client that it is subscribed.
    Pause();
  }

  void OnWriteDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::CANCELLED);
    Pause();
  }
  void OnCancel() override { alarm_.Cancel(); }
  void OnDone() override { delete this; }

 private:
  void Pause() {
    if (pause_.count() == 0) return Push();
    alarm_.Set(std::chrono::system_clock::now() + pause_, [this](bool fired) {
      if (!fired) return Finish(grpc::Status::CANCELLED);
      Push();
    });
  }
  void Push() {
    response_ = Application::MakeOffer(++sequence_);
    StartWrite(&response_);
  }

  const std::chrono::microseconds pause_;
  std::uint64_t sequence_ = 0;
  DriveResponse response_;
  grpc::Alarm alarm_;
};

class StreamingService final : public Wire::CallbackService {
 public:
  explicit StreamingService(Application& application) : application_(application) {}

  grpc::ServerBidiReactor<Position, Ack>* StreamPositions(
      grpc::CallbackServerContext* /*context*/) override {
    return Make<Position, Ack>([this](const Position& position) -> std::optional<Ack> {
      const Ack ack = application_.TakePosition(position);
      if (position.sequence() % kWindow != 0) return std::nullopt;
      return ack;
    });
  }
  grpc::ServerBidiReactor<QuoteTripRequest, QuoteTripResponse>* StreamQuotes(
      grpc::CallbackServerContext* /*context*/) override {
    return Make<QuoteTripRequest, QuoteTripResponse>(
        [this](const QuoteTripRequest& request) -> std::optional<QuoteTripResponse> {
          return application_.Quote(request);
        });
  }
  grpc::ServerWriteReactor<DriveResponse>* WatchOffers(
      grpc::CallbackServerContext* /*context*/,
      const dispatch::v1::Heartbeat* /*request*/) override {
    return new Pushing(application_.offer_every());
  }

 private:
  template <class Request, class Response, class Answer>
  static grpc::ServerBidiReactor<Request, Response>* Make(Answer answer) {
    return new Answering<Request, Response, Answer>(std::move(answer));
  }

  Application& application_;
};

class StreamingClient final : public Client {
 public:
  explicit StreamingClient(int port) : stub_(Wire::NewStub(ConnectGrpc(port))) {}
  ~StreamingClient() override {
    for (grpc::ClientContext& context : contexts_) context.TryCancel();
  }

  absl::Status Report(std::span<const Position> positions) override {
    if (reports_ == nullptr) reports_ = stub_->StreamPositions(&contexts_[0]);
    for (const Position& position : positions) {
      if (!reports_->Write(position)) return ToAbslStatus(reports_->Finish());
      message_bytes_ += position.ByteSizeLong();
    }
    Ack ack;
    if (!reports_->Read(&ack)) return ToAbslStatus(reports_->Finish());
    message_bytes_ += ack.ByteSizeLong();
    return absl::OkStatus();
  }
  absl::StatusOr<QuoteTripResponse> Quote(const QuoteTripRequest& request) override {
    if (quotes_ == nullptr) quotes_ = stub_->StreamQuotes(&contexts_[1]);
    QuoteTripResponse response;
    if (!quotes_->Write(request) || !quotes_->Read(&response)) {
      return ToAbslStatus(quotes_->Finish());
    }
    message_bytes_ += request.ByteSizeLong() + response.ByteSizeLong();
    return response;
  }
  absl::Status Subscribe() override {
    offers_ = stub_->WatchOffers(&contexts_[2], dispatch::v1::Heartbeat());
    offers_->WaitForInitialMetadata();
    return absl::OkStatus();
  }
  absl::StatusOr<DriveResponse> NextOffer() override {
    DriveResponse response;
    if (!offers_->Read(&response)) return ToAbslStatus(offers_->Finish());
    message_bytes_ += response.ByteSizeLong();
    return response;
  }

 private:
  std::unique_ptr<Wire::Stub> stub_;
  grpc::ClientContext contexts_[3];
  std::unique_ptr<grpc::ClientReaderWriter<Position, Ack>> reports_;
  std::unique_ptr<grpc::ClientReaderWriter<QuoteTripRequest, QuoteTripResponse>> quotes_;
  std::unique_ptr<grpc::ClientReader<DriveResponse>> offers_;
};

}  // namespace

Protocol GrpcStreaming() {
  return {.key = "grpc_streaming",
          .title = "gRPC streaming",
          .has_calls = true,
          .has_push = true,
          .serve =
              [](Application& application, const std::function<void(int)>& serving) {
                StreamingService service(application);
                return ServeGrpc(service, serving);
              },
          .connect = [](int port) { return std::make_unique<StreamingClient>(port); },
          .sources = {"grpc_streaming.cc", "grpc_status.h"},
          .contracts = {"wire.proto"}};
}

}  // namespace ridestream::bench::wire
