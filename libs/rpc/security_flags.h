#pragma once

#include "absl/status/statusor.h"
#include "libs/rpc/security.h"

namespace ridestream::rpc {

/// Reads the flags that all services have: --tls_certificate, --tls_key, --tls_authorities,
/// --token_keys, --token_keys_authorities, --token_issuer, --token_audience and --revocations; or
/// --insecure. INVALID_ARGUMENT, with what to do, if neither all of them nor --insecure are given.
/// `max_calls_per_s`: see LimitingAuthenticator.
absl::StatusOr<Security::Options> SecurityOptionsFromFlags(double max_calls_per_s = 0);

}  // namespace ridestream::rpc
