#pragma once

#include <memory>
#include <utility>

#include "libs/roads/streets.h"
#include "services/trip/domain/quote_router.h"

namespace ridestream::trip {

/// Routes on a market's streets, for quotes. Thread-safe.
class StreetsRouter final : public QuoteRouter {
 public:
  explicit StreetsRouter(std::shared_ptr<const roads::Streets> streets)
      : streets_(std::move(streets)) {}
  absl::StatusOr<Way> FindWay(LatLng pickup, LatLng dropoff) const override;
  const roads::Streets& streets() const { return *streets_; }

 private:
  const std::shared_ptr<const roads::Streets> streets_;
};

}  // namespace ridestream::trip
