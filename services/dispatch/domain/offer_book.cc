#include "services/dispatch/domain/offer_book.h"

#include <fmt/format.h>

#include <cassert>
#include <utility>

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
  assert(OfDriver(offer.driver) == nullptr && OfTrip(offer.trip) == nullptr);
  const OfferId id = offer.id;
  OpenOffer& open = open_.emplace(id, std::move(offer)).first->second;
  of_driver_[open.driver] = &open;
  of_trip_[open.trip] = &open;
  return open;
}

OpenOffer OfferBook::Close(const OfferId& id) {
  const auto it = open_.find(id);
  assert(it != open_.end());
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
