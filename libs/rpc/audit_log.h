#pragma once

#include <string>

#include "absl/status/status.h"
#include "google/protobuf/message.h"
#include "libs/rpc/caller.h"

namespace ridestream::rpc {

/// A call as the audit log names it.
struct AuditedCall {
  /// The method's full name.
  std::string method;
  /// Empty for somebody who proved nothing.
  std::string caller;
  /// See AboutWhom.
  std::string about;
  /// See Authenticator::ClientPeer.
  std::string peer;
};

/// The ids and markets that a request names, as "trip_id:t-1,market:city": at most 4. Text that is
/// no id is left out, as are keys of idempotency.
std::string AboutWhom(const google::protobuf::Message& request);

/// Writes the line `call_refused` with the reason, or `call_privileged`. Each kind writes at most
/// 1,000 lines at once and 100 a second, so that refused callers can't fill the disk; the next line
/// says how many calls were `left_out`. Thread-safe.
void LogRefusedCall(const AuditedCall& call, const absl::Status& reason);
void LogPrivilegedCall(const AuditedCall& call);

}  // namespace ridestream::rpc
