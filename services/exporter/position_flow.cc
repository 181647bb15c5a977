#include "services/exporter/position_flow.h"

#include <utility>

#include "libs/rpc/channel.h"

namespace ridestream::exporter {

absl::StatusOr<std::unique_ptr<PositionFlow>> PositionFlow::Start(Options options,
                                                                  const rpc::Security& security,
                                                                  TimerQueue& timers,
                                                                  const Clock& clock) {
  std::unique_ptr<PositionFlow> flow(new PositionFlow(std::move(options.topic)));
  for (const std::string& market : options.markets) {
    const auto address = options.location.Find(market);
    if (!address.ok()) return address.status();
    Source& source = flow->sources_.emplace_back();
    source.location = location::v1::LocationService::NewStub(rpc::MakeChannel(
        *address,
        {.keepalive = rpc::kInnerKeepalive, .credentials = security.ForChannel("location")}));
    source.watch = std::make_unique<AreaWatch>(
        AreaWatch::Options{.market = market, .address = *address, .every = options.every},
        *source.location, timers, clock, flow->positions_);
  }
  flow->worker_ = flow->executor_.Start([raw = flow.get()]() { return raw->positions_.Step(); });
  return flow;
}

}  // namespace ridestream::exporter
