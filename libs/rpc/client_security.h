#pragma once

#include <functional>
#include <memory>
#include <string>

#include "grpcpp/grpcpp.h"
#include "libs/identity/principal.h"

namespace ridestream::rpc {

/// How this process proves its identity in calls. Of the whole process, as gRPC's default
/// credentials are: for programs that call for many (load generators, tests), whereas a service
/// gives each of its channels credentials of its own.
struct ClientSecurity {
  /// For channels that have no other credentials.
  std::shared_ptr<grpc::ChannelCredentials> credentials;
  /// A token for a caller that isn't a service. Called by SetCaller, on several threads at a time.
  std::function<std::string(const identity::Principal& caller)> token;
};

/// Holds for channels and calls that are made from now on. By default channels are plaintext, and
/// calls name their caller without proof. Call it before there are other threads.
void UseClientSecurity(ClientSecurity security);

/// What was set; null where nothing was.
std::shared_ptr<grpc::ChannelCredentials> ClientCredentials();
/// Empty where nothing was set.
std::string TokenFor(const identity::Principal& caller);

}  // namespace ridestream::rpc
