#include "services/exporter/rpc/area_watch.h"

#include <utility>

#include "libs/rpc/client_streams.h"
#include "libs/rpc/market.h"
#include "libs/service/peer_advice.h"
#include "libs/service/service.h"
#include "services/exporter/rpc/self.h"

namespace ridestream::exporter {
namespace {

using Request = location::v1::WatchAreaRequest;
using Response = location::v1::WatchAreaResponse;

Request WholeEarth(const std::string& market, std::chrono::milliseconds every) {
  constexpr int kPoleE7 = 900'000'000;
  constexpr int kDateLineE7 = 1'800'000'000;
  Request request;
  request.set_market(market);
  request.mutable_south_west()->set_lat_e7(-kPoleE7);
  request.mutable_south_west()->set_lng_e7(-kDateLineE7);
  request.mutable_north_east()->set_lat_e7(kPoleE7);
  request.mutable_north_east()->set_lng_e7(kDateLineE7);
  request.set_interval_ms(static_cast<std::uint32_t>(every.count()));
  return request;
}

}  // namespace

AreaWatch::AreaWatch(Options options, location::v1::LocationService::StubInterface& location,
                     TimerQueue& timers, const Clock& clock, PositionExport& positions)
    : options_(std::move(options)) {
  const auto open = [this, &location](auto& listener) {
    return std::make_unique<rpc::ClientReadStream<Request, Response>>(
        [this, &location](auto* context, auto* request, auto* reactor) {
          rpc::SetCaller(*context, kSelf);
          rpc::SetMarket(*context, options_.market);
          *request = WholeEarth(options_.market, options_.every);
          location.async()->WatchArea(context, request, reactor);
        },
        listener);
  };
  const auto on_message = [this, &clock, &positions](const Response& frame) {
    positions.Add(options_.market, frame, clock.Now());
    return true;
  };
  const auto on_end = [this](const absl::Status& status, bool is_news) {
    if (!is_news) return;
    service::Log(service::LevelOf(status), "positions_not_watched",
                 {{"market", options_.market},
                  {"error", status.ToString()},
                  {"advice", service::AdviceOn(status, "location", options_.address)}});
  };
  stream_ = std::make_unique<Stream>(
      timers, Stream::Options{.open = open, .on_message = on_message, .on_end = on_end});
}

}  // namespace ridestream::exporter
