#pragma once

#include <string>

#include "absl/status/status.h"
#include "google/protobuf/message.h"
#include "libs/rpc/caller.h"

namespace ridestream::rpc {

/// A call as it appears in the audit log.
struct AuditedCall {
  /// The method's full name.
  std::string method;
  /// Empty for a caller without proof.
  std::string caller;
  /// See NamedIds.
  std::string about;
  /// See Authenticator::ClientPeer.
  std::string peer;
};

/// The ids and markets that a request names, as "trip_id:t-1,market:city", at most 4 of them. Text
/// that isn't a valid id and idempotency keys are left out.
std::string NamedIds(const google::protobuf::Message& request);

/// Writes the line `call_refused` with the reason, or the line `call_privileged`. Each kind is
/// limited to 100 lines a second with bursts of 1,000, so that refused callers can't fill the disk;
/// the next line reports how many calls were `left_out`. Thread-safe.
void LogRefusedCall(const AuditedCall& call, const absl::Status& reason);
void LogPrivilegedCall(const AuditedCall& call);

}  // namespace ridestream::rpc
