#include "loadtest/city/index_watcher.h"

#include <utility>

#include "libs/proto_values/proto_values.h"
#include "libs/rpc/caller.h"
#include "libs/rpc/client_streams.h"
#include "libs/rpc/market.h"

namespace ridestream::loadtest {

namespace pb = ::ridestream::location::v1;

namespace {

// Noise, and the way to the nearest street, lead out of the box.
constexpr double kMarginM = 1'000;

}  // namespace

IndexWatcher::IndexWatcher(Options options, const roads::BoundingBox& bounds,
                           const std::shared_ptr<grpc::Channel>& channel, TimerQueue& timers,
                           Tally& tally)
    : options_(std::move(options)), stub_(pb::LocationService::NewStub(channel)), tally_(tally) {
  request_.set_market(options_.market);
  *request_.mutable_south_west() = ToProto(OffsetBy(bounds.south_west, -kMarginM, -kMarginM));
  *request_.mutable_north_east() = ToProto(OffsetBy(bounds.north_east, kMarginM, kMarginM));
  request_.set_interval_ms(options_.interval_ms);
  stream_ = std::make_unique<AreaStream>(
      timers, AreaStream::Options{
                  .open =
                      [this](streams::ReadListener<pb::WatchAreaResponse>& listener) {
                        return std::make_unique<
                            rpc::ClientReadStream<pb::WatchAreaRequest, pb::WatchAreaResponse>>(
                            [this](grpc::ClientContext* context, pb::WatchAreaRequest* request,
                                   auto* reactor) {
                              rpc::SetCaller(*context, {rpc::CallerKind::kOperator, "loadtest"});
                              rpc::SetMarket(*context, options_.market);
                              *request = request_;
                              stub_->async()->WatchArea(context, request, reactor);
                            },
                            listener);
                      },
                  .on_message = [this](pb::WatchAreaResponse& frame) { return OnFrame(frame); }});
}

bool IndexWatcher::OnFrame(const pb::WatchAreaResponse& frame) {
  std::uint64_t moved = 0;
  for (const pb::NearbyDriver& driver : frame.drivers()) {
    if (!driver.driver_id().starts_with(options_.driver_prefix)) continue;
    const LatLng place = FromProto(driver.position());
    const auto [known, is_new] = places_.try_emplace(driver.driver_id(), place);
    if (!is_new && known->second == place) continue;
    known->second = place;
    ++moved;
  }
  tally_.positions_indexed += moved;
  return true;
}

}  // namespace ridestream::loadtest
