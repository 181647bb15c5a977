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

/// About whom a caller may call; see policy.proto.
enum class Scope { kAll, kOwn, kAnonymous };

/// What a caller is permitted by one call. The service enforces it on what it reads from its
/// records.
struct Permission {
  Scope scope = Scope::kOwn;
  /// The one market whose records the call may touch; empty: any.
  std::string market = {};

  friend bool operator==(const Permission&, const Permission&) = default;
};

/// Decides by the method's option `policy` whether `caller` may make the call. A pure function.
///
/// `caller` is nullptr for somebody who proved nothing. `request` is nullptr as long as it isn't
/// read: the decision is then by the caller alone, and has to be made again with the request (of a
/// client stream: with its first message).
///
/// UNAUTHENTICATED without a caller. PERMISSION_DENIED, with the reason, when the policy
/// doesn't list the caller, when the request names another market than the caller's or, with
/// Scope::kOwn, another subject. The message names no other caller.
absl::StatusOr<Permission> Authorize(const Principal* caller,
                                     const google::protobuf::MethodDescriptor& method,
                                     const google::protobuf::Message* request);

/// The services, e.g. "dispatch", that the policies of any methods of these proto services list,
/// which are linked into this program and given by their full names.
std::set<std::string> ServicesListed(const std::vector<std::string>& proto_services);

/// Checks the policies of all methods of these services: each has one that lists somebody, only
/// known roles, nobody twice, and fields that exist. INVALID_ARGUMENT with a line for each fault.
absl::Status CheckPolicies(const std::vector<const google::protobuf::ServiceDescriptor*>& services);

/// The policies of these services as tables in Markdown, a heading a service.
std::string PolicyTables(const std::vector<const google::protobuf::ServiceDescriptor*>& services);

}  // namespace ridestream::identity
