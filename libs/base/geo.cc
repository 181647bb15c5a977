#include "libs/base/geo.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace ridestream {
namespace {

constexpr double kRadiansPerE7 = std::numbers::pi / 180.0 / 1e7;
constexpr std::int64_t kCircleE7 = 3'600'000'000;

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

std::int32_t WrapLngE7(std::int64_t lng_e7) {
  constexpr std::int64_t kHalfE7 = kCircleE7 / 2;
  if (lng_e7 >= -kHalfE7 && lng_e7 < kHalfE7) return static_cast<std::int32_t>(lng_e7);
  const std::int64_t rest = (lng_e7 + kHalfE7) % kCircleE7;
  return static_cast<std::int32_t>((rest < 0 ? rest + kCircleE7 : rest) - kHalfE7);
}

std::int32_t EastE7(LatLng from, LatLng to) {
  const std::int64_t east_e7 = std::int64_t{to.lng_e7} - from.lng_e7;
  if (east_e7 > kCircleE7 / 2) return static_cast<std::int32_t>(east_e7 - kCircleE7);
  if (east_e7 < -kCircleE7 / 2) return static_cast<std::int32_t>(east_e7 + kCircleE7);
  return static_cast<std::int32_t>(east_e7);
}

double DistanceM(LatLng a, LatLng b) {
  const double lat_a = a.lat_e7 * kRadiansPerE7;
  const double lat_b = b.lat_e7 * kRadiansPerE7;
  const double sin_lat = std::sin((lat_b - lat_a) / 2);
  const double sin_lng = std::sin(EastE7(a, b) * kRadiansPerE7 / 2);
  const double h = sin_lat * sin_lat + std::cos(lat_a) * std::cos(lat_b) * sin_lng * sin_lng;
  return 2 * kEarthRadiusM * std::asin(std::min(1.0, std::sqrt(h)));
}

double FastDistanceM(LatLng a, LatLng b) {
  const double mean_lat = (static_cast<double>(a.lat_e7) + b.lat_e7) / 2 * kRadiansPerE7;
  const double north = (static_cast<double>(b.lat_e7) - a.lat_e7) * kRadiansPerE7;
  const double east = EastE7(a, b) * kRadiansPerE7 * std::cos(mean_lat);
  return kEarthRadiusM * std::sqrt(north * north + east * east);
}

LatLng OffsetBy(LatLng from, double north_m, double east_m) {
  const double lat_rad = from.lat_e7 * kRadiansPerE7;
  const double d_lat = north_m / kEarthRadiusM / kRadiansPerE7;
  const double d_lng = east_m / (kEarthRadiusM * std::cos(lat_rad)) / kRadiansPerE7;
  return {static_cast<std::int32_t>(std::lround(from.lat_e7 + d_lat)),
          WrapLngE7(from.lng_e7 + std::llround(d_lng))};
}

LatLng Interpolate(LatLng a, LatLng b, double fraction) {
  // Differences are rounded instead of sums, so that a line is divided in the same way wherever it
  // lies.
  const double d_lat = static_cast<double>(b.lat_e7) - a.lat_e7;
  return {static_cast<std::int32_t>(a.lat_e7 + std::lround(d_lat * fraction)),
          WrapLngE7(a.lng_e7 + std::llround(EastE7(a, b) * fraction))};
}

}  // namespace ridestream
