#include "services/dispatch/domain/offers/offer_book.h"

#include <fmt/format.h>

#include <utility>

#include "libs/base/invariant.h"

namespace ridestream::dispatch {
namespace {

template <class Map, class Key>
OpenOffer* FindIn(Map& offers, const Key& key) {
  const auto it = offers.find(key);
  return it == offers.end() ? nullptr : it->second;
}

}  // namespace

OfferId OfferBook::NextId() { return OfferId(fmt::format("{}{}", id_prefix_, ++last_id_)); }

// NOLINTNEXTLINE(performance-unnecessary-value-param): moved, which it can't see in emplace.
OpenOffer& OfferBook::Open(OpenOffer offer) {
  (void)RIDESTREAM_INVARIANT(OfDriver(offer.driver) == nullptr, "a driver has one open offer");
  (void)RIDESTREAM_INVARIANT(OfTrip(offer.trip) == nullptr, "a trip has one open offer");
  const OfferId id = offer.id;
  OpenOffer& open = open_.emplace(id, std::move(offer)).first->second;
  of_driver_[open.driver] = &open;
  of_trip_[open.trip] = &open;
  return open;
}

OpenOffer OfferBook::Close(const OfferId& id) {
  const auto it = open_.find(id);
  if (!RIDESTREAM_INVARIANT(it != open_.end(), "an offer that ends is open")) return {};
  OpenOffer closed = std::move(it->second);
  open_.erase(it);
  of_driver_.erase(closed.driver);
  of_trip_.erase(closed.trip);
  return closed;
}

OpenOffer* OfferBook::Find(const OfferId& id) {
  const auto it = open_.find(id);
  return it == open_.end() ? nullptr : &it->second;
}

OpenOffer* OfferBook::OfDriver(const DriverId& driver) { return FindIn(of_driver_, driver); }

OpenOffer* OfferBook::OfTrip(const TripId& trip) { return FindIn(of_trip_, trip); }

}  // namespace ridestream::dispatch
