#include "libs/rpc/client_security.h"

#include <utility>

namespace ridestream::rpc {
namespace {

/// Never destroyed, because calls may continue while the process exits.
ClientSecurity& Current() {
  static auto* const current = new ClientSecurity();
  return *current;
}

}  // namespace

void UseClientSecurity(ClientSecurity security) { Current() = std::move(security); }

std::shared_ptr<grpc::ChannelCredentials> ClientCredentials() { return Current().credentials; }

std::string TokenFor(const identity::Principal& caller) {
  const auto& token = Current().token;
  return token == nullptr || caller.role == identity::Role::kService ? "" : token(caller);
}

}  // namespace ridestream::rpc
