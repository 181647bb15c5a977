#pragma once

#include <functional>
#include <memory>
#include <string>

#include "grpcpp/grpcpp.h"
#include "libs/identity/principal.h"

namespace ridestream::rpc {

/// How this process proves its identity in calls. Process-wide, like gRPC's default credentials:
/// for programs that call on behalf of many callers (load generators, tests). A service gives each
/// of its channels its own credentials instead.
struct ClientSecurity {
  /// For channels without other credentials.
  std::shared_ptr<grpc::ChannelCredentials> credentials;
  /// Returns a token for a caller that isn't a service. Called by SetCaller, possibly on several
  /// threads at once.
  std::function<std::string(const identity::Principal& caller)> token;
};

/// Applies to channels and calls that are created from now on. By default channels are plaintext,
/// and calls name their caller without proof. Must be called before other threads start.
void UseClientSecurity(ClientSecurity security);

/// The credentials that were set, or null.
std::shared_ptr<grpc::ChannelCredentials> ClientCredentials();
/// A token for `principal`; empty if no source of tokens was set.
std::string TokenFor(const identity::Principal& caller);

}  // namespace ridestream::rpc
