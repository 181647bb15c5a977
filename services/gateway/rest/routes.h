#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "google/protobuf/descriptor.h"
#include "services/gateway/call/services.h"
#include "services/gateway/rest/path_template.h"

namespace ridestream::gateway {

/// Fields from a message's own to one within, as a path such as "pickup.lat_e7" names them.
using FieldPath = std::vector<const google::protobuf::FieldDescriptor*>;

/// Finds the fields by their names in the proto or in JSON. INVALID_ARGUMENT names what isn't
/// there. All but the last are messages.
absl::StatusOr<FieldPath> FindFields(const google::protobuf::Descriptor& message,
                                     std::string_view path);

/// A route of REST to a method, as the option beside it says.
struct Route {
  const Method* method;
  std::string http_method;
  PathTemplate path;
  bool has_body = false;
  /// A field of the request; nullptr if there is none.
  const google::protobuf::FieldDescriptor* idempotency_key = nullptr;
  /// Fields of the response and of the request: for streams that can be resumed.
  std::vector<FieldPath> positions = {};
  const google::protobuf::FieldDescriptor* after = nullptr;
};

/// All routes. Immutable.
class Routes {
 public:
  /// Reads the options of all methods; `services` must outlive the routes. INVALID_ARGUMENT names a
  /// method whose option names a field that doesn't exist, or whose path is invalid.
  static absl::StatusOr<Routes> Read(const Services& services);

  struct Found {
    const Route* route;
    Variables variables;
  };
  /// The path is known, by these methods ("GET, POST").
  struct WrongMethod {
    std::string allow;
  };
  struct Unknown {};
  /// Routes with a verb come first, since the value of a variable may end as they do.
  std::variant<Found, WrongMethod, Unknown> Find(std::string_view http_method,
                                                 std::string_view path) const;

  const std::vector<Route>& all() const { return routes_; }

 private:
  std::vector<Route> routes_;
};

}  // namespace ridestream::gateway
