#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/roads/streets.h"
#include "loadtest/city/city.h"
#include "loadtest/demand/demand.h"

namespace ridestream::loadtest {

/// The text that --help shows above the flags.
extern const char kUsage[];

/// The flags that don't map directly to CityOptions.
struct Settings {
  CityOptions city;
  std::string roads;
  size_t drivers = 0;
  double requests_per_hour = 0;
  std::string requests_file, fleet_file;
  std::string json, offers;
  bool check_flags = false;
};

/// INVALID_ARGUMENT, with the flag, for an invalid value.
absl::StatusOr<Settings> SettingsFromFlags();
/// Checks that the files that the flags name can be read and written, except for the streets.
absl::Status CheckFiles(const Settings& settings);
/// Makes all calls prove their caller's identity, as the flags say. Must be called before other
/// threads start.
absl::Status UseSecurityFromFlags();
absl::StatusOr<std::unique_ptr<Demand>> MakeDemand(const Settings& settings,
                                                   const roads::Streets& streets);
absl::StatusOr<CityOptions> MakeCityOptions(const Settings& settings,
                                            const roads::Streets& streets);
absl::Status CantWrite(std::string_view flag, const std::string& file);

}  // namespace ridestream::loadtest
