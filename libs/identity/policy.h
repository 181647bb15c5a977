#pragma once

#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "libs/identity/principal.h"

namespace ridestream::identity {

/// Whose records a caller may access; see policy.proto.
enum class Scope { kAll, kOwn, kAnonymous };

/// What one call may access. The service enforces it on the records that it reads.
struct Permission {
  Scope scope = Scope::kOwn;
  /// The only market whose records the call may touch; empty: any market.
  std::string market = {};

  friend bool operator==(const Permission&, const Permission&) = default;
};

/// Decides by the method's `policy` option whether `caller` may make the call. A pure function.
///
/// `caller` is nullptr for a caller without proof. `request` is nullptr before the request has been
/// read: the decision then considers only the caller, and must be repeated with the request (for a
/// client stream, with its first message).
///
/// UNAUTHENTICATED without a caller. PERMISSION_DENIED, with the reason, if the policy doesn't list
/// the caller, or if the request names a market other than the caller's or, with Scope::kOwn,
/// another subject. The message names no other caller.
absl::StatusOr<Permission> Authorize(const Principal* caller,
                                     const google::protobuf::MethodDescriptor& method,
                                     const google::protobuf::Message* request);

/// The services, e.g. "dispatch", that the policies of these proto services list. The proto
/// services are given by their full names and must be linked into this program.
std::set<std::string> ServicesListed(const std::vector<std::string>& proto_services);

/// Checks that each method of these services has a policy that lists at least one role, only known
/// roles, none of them twice, and fields that exist. INVALID_ARGUMENT with one line for each fault.
absl::Status CheckPolicies(const std::vector<const google::protobuf::ServiceDescriptor*>& services);

/// The policies of these services as Markdown tables, with a heading for each service.
std::string PolicyTables(const std::vector<const google::protobuf::ServiceDescriptor*>& services);

}  // namespace ridestream::identity
