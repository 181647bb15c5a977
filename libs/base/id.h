#pragma once

#include <fmt/format.h>

#include <compare>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace ridestream {

/// An id of one kind of entity; the tag keeps a driver's id from being used as a rider's. Opaque:
/// ids are compared, hashed and printed, never parsed. An empty id means "none".
template <class Tag>
class Id {
 public:
  Id() = default;
  explicit Id(std::string value) : value_(std::move(value)) {}
  explicit Id(std::string_view value) : value_(value) {}
  explicit Id(const char* value) : value_(value) {}

  const std::string& str() const { return value_; }
  bool empty() const { return value_.empty(); }

  friend bool operator==(const Id&, const Id&) = default;
  friend auto operator<=>(const Id&, const Id&) = default;
  template <class H>
  friend H AbslHashValue(H h, const Id& id) {
    return H::combine(std::move(h), id.value_);
  }

 private:
  std::string value_;
};

using DriverId = Id<struct DriverTag>;
using RiderId = Id<struct RiderTag>;
using TripId = Id<struct TripTag>;
using OfferId = Id<struct OfferTag>;
using QuoteId = Id<struct QuoteTag>;
using SessionId = Id<struct SessionTag>;
using MarketId = Id<struct MarketTag>;

}  // namespace ridestream

template <class Tag>
struct std::hash<ridestream::Id<Tag>> {
  size_t operator()(const ridestream::Id<Tag>& id) const {
    return std::hash<std::string>()(id.str());
  }
};

template <class Tag>
struct fmt::formatter<ridestream::Id<Tag>> : fmt::formatter<std::string_view> {
  template <class Context>
  auto format(const ridestream::Id<Tag>& id, Context& context) const {
    return fmt::formatter<std::string_view>::format(id.str(), context);
  }
};
