#pragma once

#include <cstdint>
#include <string>

namespace ridestream {

/// A place on the earth, WGS84, in degrees times 10^7 (about 1.1 cm of latitude), as in the protos.
/// Valid if |lat| <= 90 degrees and |lng| <= 180 degrees.
struct LatLng {
  std::int32_t lat_e7 = 0;
  std::int32_t lng_e7 = 0;

  static LatLng FromDegrees(double lat, double lng);
  double lat() const { return lat_e7 / 1e7; }
  double lng() const { return lng_e7 / 1e7; }
  bool IsValid() const;
  /// "40.7708600,-73.9571640"
  std::string ToString() const;

  friend bool operator==(const LatLng&, const LatLng&) = default;
};

/// The earth's mean radius (IUGG), in metres.
inline constexpr double kEarthRadiusM = 6'371'008.8;

/// Normalizes a longitude to -180 degrees (inclusive) to 180 (exclusive). `lng_e7` is any
/// longitude, in degrees times 10^7.
std::int32_t WrapLngE7(std::int64_t lng_e7);

/// Longitude difference from `from` to `to` in degrees times 10^7, the short way around the earth:
/// -180 to 180 degrees, negative to the west.
std::int32_t EastE7(LatLng from, LatLng to);

/// Great-circle distance in metres, by the haversine formula (R. W. Sinnott, "Virtues of the
/// Haversine", 1984): exact enough at all distances, and stable for small ones.
double DistanceM(LatLng a, LatLng b);

/// Distance in metres by an equirectangular projection at the mean latitude. Within 0.1 % of
/// DistanceM below 50 km and away from the poles, and several times as fast. Takes the short way
/// across the antimeridian.
double FastDistanceM(LatLng a, LatLng b);

/// The place `north_m` metres north and `east_m` metres east of `from`. For distances up to some
/// tens of kilometres, away from the poles. Its longitude is normalized as by WrapLngE7.
LatLng OffsetBy(LatLng from, double north_m, double east_m);

/// The point at `fraction` (0 to 1) of the straight line from `a` to `b`, the short way around the
/// earth. Its longitude is normalized as by WrapLngE7.
LatLng Interpolate(LatLng a, LatLng b, double fraction);

}  // namespace ridestream
