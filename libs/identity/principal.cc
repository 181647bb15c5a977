#include "libs/identity/principal.h"

#include <fmt/format.h>

namespace ridestream::identity {

std::string_view RoleName(Role role) {
  switch (role) {
    case Role::kRider:
      return "rider";
    case Role::kDriver:
      return "driver";
    case Role::kOperator:
      return "operator";
    case Role::kViewer:
      return "viewer";
    case Role::kService:
      return "service";
  }
  return "unknown";
}

std::optional<Role> RoleFromToken(std::string_view name) {
  for (const Role role : {Role::kRider, Role::kDriver, Role::kOperator, Role::kViewer}) {
    if (name == RoleName(role)) return role;
  }
  return std::nullopt;
}

std::string Name(const Principal& principal) {
  return fmt::format("{}/{}", RoleName(principal.role), principal.id);
}

}  // namespace ridestream::identity
