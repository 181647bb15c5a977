#include "services/dispatch/streets/way_search.h"

#include <cmath>
#include <optional>
#include <utility>
#include <vector>

namespace ridestream::dispatch {
namespace {

/// Appends a segment to a route in wire format, which encodes points as differences.
class RouteBuilder {
 public:
  explicit RouteBuilder(common::v1::Route& route) : route_(route) {}

  void Append(const roads::Route& way) {
    for (std::size_t i = 0; i < way.points.size(); ++i) {
      if (i == 0 && route_.lat_e7_size() > 0) continue;  // The stop, where the way before ended.
      const LatLng point = way.points[i];
      route_.add_lat_e7(point.lat_e7 - last_.lat_e7);
      route_.add_lng_e7(EastE7(last_, point));
      last_ = point;
    }
    for (const std::uint32_t piece_ms : way.leg_ms) {
      route_.add_piece_ms(piece_ms);
      duration_ms_ += piece_ms;
    }
    length_m_ += way.length_m;
    route_.set_duration_ms(duration_ms_);
    route_.set_length_m(static_cast<std::uint32_t>(std::lround(length_m_)));
  }
  Duration duration() const { return std::chrono::milliseconds(duration_ms_); }

 private:
  common::v1::Route& route_;
  LatLng last_;
  std::uint32_t duration_ms_ = 0;
  double length_m_ = 0;
};

/// Starts at the car's position, in its direction if the track shows one. nullopt if there is no
/// street nearby or no way to continue from it.
std::optional<roads::Route> WayOnFrom(const roads::Streets& streets,
                                      const std::vector<LatLng>& track, LatLng stop) {
  const auto start = streets.map_matcher().Match(track);
  if (!start) return std::nullopt;
  const auto goal = streets.snapper().Nearest(stop, roads::StreetUse::kStop);
  if (!goal) return std::nullopt;
  return streets.router().RouteBetween(*start, *goal);
}

/// `first` is the route to the first stop, if it is known.
absl::StatusOr<RouteFound::Way> FindWayAfter(std::optional<roads::Route> first,
                                             const roads::Router& router,
                                             const FindRoute& question) {
  RouteFound::Way way;
  RouteBuilder builder(way.route);
  LatLng from = question.from;
  auto from_use = roads::StreetUse::kDrive;  // The car; after it stops.
  for (const LatLng& stop : question.stops) {
    if (first) {
      builder.Append(*std::exchange(first, std::nullopt));
    } else {
      const absl::StatusOr<roads::Route> leg = router.FindRoute(from, stop, from_use);
      if (!leg.ok()) return leg.status();
      builder.Append(*leg);
    }
    way.to_stop.push_back(builder.duration());
    from = stop;
    from_use = roads::StreetUse::kStop;
  }
  return way;
}

}  // namespace

absl::StatusOr<RouteFound::Way> FindWay(const roads::Router& router, const FindRoute& question) {
  return FindWayAfter(std::nullopt, router, question);
}

absl::StatusOr<RouteFound::Way> FindWay(const roads::Streets& streets, const FindRoute& question) {
  std::optional<roads::Route> first;
  if (!question.stops.empty()) first = WayOnFrom(streets, question.track, question.stops.front());
  return FindWayAfter(std::move(first), streets.router(), question);
}

}  // namespace ridestream::dispatch
