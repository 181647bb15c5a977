#include "services/trip/streets/market_service.h"

#include "libs/base/validation.h"
#include "libs/proto_values/proto_values.h"
#include "libs/rpc/message_bytes.h"
#include "libs/rpc/push_stream.h"
#include "libs/rpc/status.h"
#include "services/trip/streets/street_lines.h"

namespace ridestream::trip {
namespace {

/// Far below what any client takes as one message.
constexpr size_t kMaxMessageBytes = 256 << 10;

grpc::ByteBuffer Serialize(const market::v1::GetStreetsResponse& message) {
  const grpc::Slice bytes(message.SerializeAsString());
  return {&bytes, 1};
}

}  // namespace

MarketService::MarketService(const Clock& clock, const rpc::Authenticator& authenticator,
                             const std::map<std::string, const roads::Streets*>& markets)
    : clock_(clock),
      served_(service::ServedMarkets::KeysOf(markets)),
      guard_(authenticator, served_) {
  markets_.set_clock_rate(clock.rate());
  for (const auto& [name, streets] : markets) {
    const roads::RoadGraph& graph = streets->graph();
    market::v1::Market& market = *markets_.add_markets();
    market.set_market(name);
    *market.mutable_south_west() = ToProto(graph.bounds().south_west);
    *market.mutable_north_east() = ToProto(graph.bounds().north_east);
    market.set_junctions(static_cast<std::uint32_t>(graph.junction_count()));
    std::vector<grpc::ByteBuffer>& messages = streets_[name];
    for (const auto& message : PackStreets(MakeStreetLines(graph), kMaxMessageBytes)) {
      messages.push_back(Serialize(message));
    }
  }
}

grpc::ServerUnaryReactor* MarketService::ListMarkets(grpc::CallbackServerContext* context,
                                                     const market::v1::ListMarketsRequest* request,
                                                     market::v1::ListMarketsResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  const auto admission = guard_.Admit(*context, *request);
  if (admission.ok()) {
    *response = markets_;
    *response->mutable_now() = ToProto(clock_.Now());
  }
  reactor->Finish(rpc::ToGrpcStatus(admission.status(), context));
  return reactor;
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* MarketService::GetStreets(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) {
  const absl::StatusOr<const std::vector<grpc::ByteBuffer>*> messages = Find(*context, *request);
  if (!messages.ok()) {
    const auto stream = rpc::PushStream<grpc::ByteBuffer>::Make({});
    stream->Close(rpc::ToGrpcStatus(messages.status(), context));
    return stream.get();
  }
  const auto stream = rpc::PushStream<grpc::ByteBuffer>::Make({.max_queue = (*messages)->size()});
  for (const grpc::ByteBuffer& message : **messages) stream->Push(message);
  stream->Close(grpc::Status::OK);
  return stream.get();
}

absl::StatusOr<const std::vector<grpc::ByteBuffer>*> MarketService::Find(
    const grpc::CallbackServerContext& context, const grpc::ByteBuffer& bytes) const {
  const auto admission = guard_.AdmitCaller<market::v1::GetStreetsRequest>(context);
  if (!admission.ok()) return admission.status();
  market::v1::GetStreetsRequest request;
  grpc::ByteBuffer copy = bytes;  // Shares the bytes; parsing consumes it.
  if (!rpc::Parse(copy, request)) return rpc::FromGrpcStatus(rpc::MalformedMessage());
  absl::Status status = rpc::CallGuard::AdmitRequest(*admission, request);
  if (status.ok()) status = ValidateId(request.market(), "market");
  if (!status.ok()) return status;
  const auto market = streets_.find(request.market());
  if (market == streets_.end()) return served_.Check(request.market(), "market");
  return &market->second;
}

}  // namespace ridestream::trip
