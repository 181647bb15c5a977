#include "loadtest/rider/trip_watch.h"

#include "libs/rpc/caller.h"
#include "libs/rpc/market.h"

namespace ridestream::loadtest {

std::shared_ptr<TripWatch> TripWatch::Open(trip::v1::TripService::Stub& stub,
                                           const std::string& market, const std::string& rider,
                                           const std::string& trip,
                                           std::shared_ptr<Listener> listener) {
  auto watch = std::shared_ptr<TripWatch>(new TripWatch(std::move(listener)));
  watch->self_ = watch;
  watch->request_.set_trip_id(trip);
  rpc::SetCaller(watch->context_, {rpc::CallerKind::kRider, rider});
  rpc::SetMarket(watch->context_, market);
  stub.async()->WatchTrip(&watch->context_, &watch->request_, watch.get());
  watch->StartRead(&watch->response_);
  watch->StartCall();
  return watch;
}

void TripWatch::OnDone(const grpc::Status&) {
  listener_->OnWatchEnded();
  listener_.reset();
  self_.reset();  // Last: may delete this.
}

}  // namespace ridestream::loadtest
