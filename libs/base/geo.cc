#include "libs/base/geo.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace ridestream {
namespace {

constexpr double kRadiansPerE7 = std::numbers::pi / 180.0 / 1e7;

double LngDifferenceE7(LatLng a, LatLng b) {
  double d = static_cast<double>(b.lng_e7) - a.lng_e7;
  if (d > 180e7) d -= 360e7;
  if (d < -180e7) d += 360e7;
  return d;
}

}  // namespace

LatLng LatLng::FromDegrees(double lat, double lng) {
  return {static_cast<std::int32_t>(std::lround(lat * 1e7)),
          static_cast<std::int32_t>(std::lround(lng * 1e7))};
}

bool LatLng::IsValid() const {
  return lat_e7 >= -900'000'000 && lat_e7 <= 900'000'000 && lng_e7 >= -1'800'000'000 &&
         lng_e7 <= 1'800'000'000;
}

std::string LatLng::ToString() const { return fmt::format("{:.7f},{:.7f}", lat(), lng()); }

double DistanceM(LatLng a, LatLng b) {
  const double lat_a = a.lat_e7 * kRadiansPerE7;
  const double lat_b = b.lat_e7 * kRadiansPerE7;
  const double sin_lat = std::sin((lat_b - lat_a) / 2);
  const double sin_lng = std::sin(LngDifferenceE7(a, b) * kRadiansPerE7 / 2);
  const double h = sin_lat * sin_lat + std::cos(lat_a) * std::cos(lat_b) * sin_lng * sin_lng;
  return 2 * kEarthRadiusM * std::asin(std::min(1.0, std::sqrt(h)));
}

double FastDistanceM(LatLng a, LatLng b) {
  const double mean_lat = (static_cast<double>(a.lat_e7) + b.lat_e7) / 2 * kRadiansPerE7;
  const double north = (static_cast<double>(b.lat_e7) - a.lat_e7) * kRadiansPerE7;
  const double east = LngDifferenceE7(a, b) * kRadiansPerE7 * std::cos(mean_lat);
  return kEarthRadiusM * std::sqrt(north * north + east * east);
}

LatLng OffsetBy(LatLng from, double north_m, double east_m) {
  const double lat_rad = from.lat_e7 * kRadiansPerE7;
  const double d_lat = north_m / kEarthRadiusM / kRadiansPerE7;
  const double d_lng = east_m / (kEarthRadiusM * std::cos(lat_rad)) / kRadiansPerE7;
  return {static_cast<std::int32_t>(std::lround(from.lat_e7 + d_lat)),
          static_cast<std::int32_t>(std::lround(from.lng_e7 + d_lng))};
}

LatLng Interpolate(LatLng a, LatLng b, double fraction) {
  return {static_cast<std::int32_t>(
              std::lround(a.lat_e7 + (static_cast<double>(b.lat_e7) - a.lat_e7) * fraction)),
          static_cast<std::int32_t>(
              std::lround(a.lng_e7 + (static_cast<double>(b.lng_e7) - a.lng_e7) * fraction))};
}

}  // namespace ridestream
