#include "libs/identity/service_uri.h"

#include "libs/base/validation.h"

namespace ridestream::identity {
namespace {

constexpr std::string_view kPrefix = "spiffe://ridestream/service/";

}  // namespace

std::string ServiceUri(std::string_view service) {
  return std::string(kPrefix) + std::string(service);
}

std::optional<std::string> ServiceOfUri(std::string_view uri) {
  if (!uri.starts_with(kPrefix)) return std::nullopt;
  uri.remove_prefix(kPrefix.size());
  if (!IsId(uri)) return std::nullopt;
  return std::string(uri);
}

}  // namespace ridestream::identity
