#include "services/trip/streets/market_service.h"

#include <fmt/format.h>

#include "absl/status/status.h"
#include "libs/base/validation.h"
#include "libs/rpc/push_stream.h"
#include "libs/rpc/status.h"
#include "services/trip/domain/proto_convert.h"
#include "services/trip/streets/street_lines.h"

namespace ridestream::trip {
namespace {

/// Far below what any client takes as one message.
constexpr size_t kMaxMessageBytes = 256 << 10;

}  // namespace

MarketService::MarketService(const Clock& clock,
                             const std::map<std::string, const roads::Streets*>& markets)
    : clock_(clock) {
  markets_.set_clock_rate(clock.rate());
  for (const auto& [name, streets] : markets) {
    const roads::RoadGraph& graph = streets->graph();
    market::v1::Market& market = *markets_.add_markets();
    market.set_market(name);
    SetLatLng(graph.bounds().south_west, *market.mutable_south_west());
    SetLatLng(graph.bounds().north_east, *market.mutable_north_east());
    market.set_junctions(static_cast<std::uint32_t>(graph.junction_count()));
    streets_.emplace(name, PackStreets(MakeStreetLines(graph), kMaxMessageBytes));
  }
}

grpc::ServerUnaryReactor* MarketService::ListMarkets(grpc::CallbackServerContext* context,
                                                     const market::v1::ListMarketsRequest*,
                                                     market::v1::ListMarketsResponse* response) {
  *response = markets_;
  SetTime(clock_.Now(), *response->mutable_now());
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

grpc::ServerWriteReactor<market::v1::GetStreetsResponse>* MarketService::GetStreets(
    grpc::CallbackServerContext*, const market::v1::GetStreetsRequest* request) {
  const auto market = streets_.find(request->market());
  if (market == streets_.end()) {
    absl::Status status = ValidateId(request->market(), "market");
    if (status.ok()) {
      status = absl::NotFoundError(fmt::format("market '{}' isn't served here", request->market()));
    }
    const auto stream = rpc::PushStream<market::v1::GetStreetsResponse>::Make({});
    stream->Close(rpc::ToGrpcStatus(status));
    return stream.get();
  }
  const auto stream =
      rpc::PushStream<market::v1::GetStreetsResponse>::Make({.max_queue = market->second.size()});
  for (const market::v1::GetStreetsResponse& message : market->second) stream->Push(message);
  stream->Close(grpc::Status::OK);
  return stream.get();
}

}  // namespace ridestream::trip
