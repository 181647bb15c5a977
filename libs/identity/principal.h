#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ridestream::identity {

/// The identity of a caller. A service proves it by a certificate, every other caller by a token.
enum class Role { kRider, kDriver, kOperator, kViewer, kService };

/// "rider", "driver", "operator", "viewer", "service".
std::string_view RoleName(Role role);

/// The role that a token's claim `role` names. Empty for any other text, and for "service":
/// services prove themselves by certificates alone.
std::optional<Role> RoleFromToken(std::string_view name);

/// A caller whose identity is proven.
struct Principal {
  Role role = Role::kViewer;
  /// An id of its role (see IsId); for a service its name, e.g. "dispatch".
  std::string id;
  /// The one market in which the caller may act; empty: any.
  std::string market = {};

  friend bool operator==(const Principal&, const Principal&) = default;
};

/// "rider/ada", for logs.
std::string Name(const Principal& principal);

}  // namespace ridestream::identity
