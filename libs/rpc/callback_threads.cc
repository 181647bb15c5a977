#include "libs/rpc/callback_threads.h"

#include <openssl/ssl.h>

#include "absl/synchronization/notification.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/grpcpp.h"

namespace ridestream::rpc {
namespace {

/// A channel whose first call has started the callback threads.
class KeptChannel {
 public:
  KeptChannel() {
    // OpenSSL must clean up after the callback threads have ended, or it leaks what it keeps for
    // them.
    OPENSSL_init_ssl(0, nullptr);
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
