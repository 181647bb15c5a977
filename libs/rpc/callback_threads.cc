#include "libs/rpc/callback_threads.h"

#include <openssl/crypto.h>

#include "absl/synchronization/notification.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/grpcpp.h"

namespace ridestream::rpc {
namespace {

// Callback threads may still use OpenSSL when the process exits, because a call that hasn't ended
// holds its channel. So OpenSSL must not clean up then. Only its first initialization decides that,
// hence before main().
[[maybe_unused]] const int g_openssl_without_cleanup =
    OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, nullptr);

/// A channel whose first call has started the callback threads.
class KeptChannel {
 public:
  KeptChannel() {
    const grpc::Slice nothing;
    const grpc::ByteBuffer request(&nothing, 1);
    grpc::ByteBuffer response;
    grpc::ClientContext context;
    absl::Notification done;
    grpc::GenericStub(channel_).UnaryCall(&context, "/none/None", {}, &request, &response,
                                          [&done](const grpc::Status&) { done.Notify(); });
    done.WaitForNotification();
  }

 private:
  const std::shared_ptr<grpc::Channel> channel_ = grpc::CreateChannel("", nullptr);
};

}  // namespace

void KeepCallbackThreads() { static const KeptChannel kept; }

}  // namespace ridestream::rpc
