#pragma once

#include <memory>
#include <string>

#include "grpcpp/grpcpp.h"

namespace ridestream::e2e {

/// A channel to the service `server` at `address`, HOST:PORT, with the certificate of the service
/// `client` from the authority in the folder `authority`. Fails the test if there is no such
/// certificate.
std::shared_ptr<grpc::Channel> ConnectAs(const std::string& client, const std::string& authority,
                                         const std::string& server, const std::string& address);

}  // namespace ridestream::e2e
