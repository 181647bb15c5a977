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

/// Fields from a message's own field down to a nested one. Written as a path such as
/// "pickup.lat_e7".
using FieldPath = std::vector<const google::protobuf::FieldDescriptor*>;

/// Finds the fields by their proto names or JSON names. INVALID_ARGUMENT, with the name, if a field
/// doesn't exist. All but the last are message fields.
absl::StatusOr<FieldPath> FindFields(const google::protobuf::Descriptor& message,
                                     std::string_view path);

/// A REST route to a method, from the method's HTTP option.
struct Route {
  const Method* method;
  std::string http_method;
  PathTemplate path;
  bool has_body = false;
  /// The request's field for the Idempotency-Key; nullptr if there is none.
  const google::protobuf::FieldDescriptor* idempotency_key = nullptr;
  /// Position fields of the response, and the request's field to continue after, for streams that
  /// can be resumed.
  std::vector<FieldPath> positions = {};
  const google::protobuf::FieldDescriptor* after = nullptr;
};

/// All routes. Immutable.
class Routes {
 public:
  /// Reads the options of all methods. `services` must outlive the routes. INVALID_ARGUMENT, with
  /// the method's name, if an option names a field that doesn't exist or has an invalid path.
  static absl::StatusOr<Routes> Read(const Services& services);

  struct Found {
    const Route* route;
    Variables variables;
  };
  /// The path exists, but only for these methods ("GET, POST").
  struct WrongMethod {
    std::string allow;
  };
  struct Unknown {};
  /// Tries routes with a verb first, because the value of a variable may end like a verb.
  std::variant<Found, WrongMethod, Unknown> Find(std::string_view http_method,
                                                 std::string_view path) const;

  const std::vector<Route>& all() const { return routes_; }

 private:
  std::vector<Route> routes_;
};

}  // namespace ridestream::gateway
