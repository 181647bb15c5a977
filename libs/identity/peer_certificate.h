#pragma once

#include <chrono>
#include <set>
#include <string>

#include "absl/status/statusor.h"

namespace ridestream::identity {

/// Which end of a connection the peer is.
enum class PeerEnd { kClient, kServer };

/// Verifies the certificate that a peer has proven to own. `leaf_pem`, with the intermediate
/// certificates that the peer sent in `chain_pem`, must chain to one of `authorities_pem`, be valid
/// at the wall time `now`, permit that end's role, and have exactly one URI among its alternative
/// names, which names one of `services`. Returns the service.
///
/// UNAUTHENTICATED, with the reason, for any other certificate; PERMISSION_DENIED if it names
/// another service. Services in the message are valid ids, so it may be logged.
absl::StatusOr<std::string> VerifyPeerCertificate(const std::string& leaf_pem,
                                                  const std::string& chain_pem,
                                                  const std::string& authorities_pem, PeerEnd end,
                                                  const std::set<std::string>& services,
                                                  std::chrono::sys_seconds now);

/// Checks the certificate that a service is about to present: the key matches the certificate, the
/// certificate is valid at `now` and names exactly one service, and `authorities_pem` contains only
/// valid certificates, at least one. Returns the service; INVALID_ARGUMENT with the reason.
absl::StatusOr<std::string> CheckOwnCertificate(const std::string& certificate_pem,
                                                const std::string& key_pem,
                                                const std::string& authorities_pem,
                                                std::chrono::sys_seconds now);

}  // namespace ridestream::identity
