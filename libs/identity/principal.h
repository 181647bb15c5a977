#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ridestream::identity {

/// The role of a caller. A service proves its identity by a certificate, every other caller by a
/// token.
enum class Role { kRider, kDriver, kOperator, kViewer, kService };

/// "rider", "driver", "operator", "viewer", "service".
std::string_view RoleName(Role role);

/// The role in a token's claim `role`. nullopt for any other text, and for "service", because
/// services authenticate by certificates only.
std::optional<Role> RoleFromToken(std::string_view name);

/// A caller whose identity is proven.
struct Principal {
  Role role = Role::kViewer;
  /// An id within the role (see IsId); for a service its name, e.g. "dispatch".
  std::string id;
  /// The only market in which the caller may act; empty: any market.
  std::string market = {};

  friend bool operator==(const Principal&, const Principal&) = default;
};

/// "rider/ada", for logs.
std::string Name(const Principal& principal);

}  // namespace ridestream::identity
