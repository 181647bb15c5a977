#include "libs/rpc/status.h"

#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/numbers.h"
#include "grpcpp/client_context.h"
#include "libs/base/utf8.h"

namespace ridestream::rpc {

grpc::Status ToGrpcStatus(const absl::Status& status, grpc::ServerContextBase* context) {
  if (status.ok()) return grpc::Status::OK;
  if (context != nullptr) {
    for (const char* key : {kRetryAfterKey, kStaleTermKey, kMarketKey, kAddressKey}) {
      const auto detail = status.GetPayload(key);
      if (detail) context->AddTrailingMetadata(key, std::string(*detail));
    }
  }
  const absl::string_view message = status.message();
  // The codes of both are those of google.rpc.Code.
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()),
                      std::string(Utf8Prefix(std::string_view(message.data(), message.size()),
                                             kMaxStatusTextBytes)));
}

grpc::Status MalformedMessage() {
  return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT,
                      "message: can't be parsed; is it of another type, or a string not UTF-8?");
}

absl::Status FromGrpcStatus(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

absl::Status FromGrpcStatus(const grpc::Status& status, const grpc::ClientContext& context) {
  absl::Status ours = FromGrpcStatus(status);
  if (!ours.ok() && context.GetServerTrailingMetadata().contains(kStaleTermKey)) {
    return MarkStaleTerm(std::move(ours));
  }
  return ours;
}

std::chrono::milliseconds RetryAfter(const grpc::ClientContext& context,
                                     std::chrono::milliseconds otherwise) {
  const auto& trailers = context.GetServerTrailingMetadata();
  const auto found = trailers.find(kRetryAfterKey);
  int milliseconds = 0;
  if (found == trailers.end() ||
      !absl::SimpleAtoi(absl::string_view(found->second.data(), found->second.size()),
                        &milliseconds) ||
      milliseconds < 0) {
    return otherwise;
  }
  return std::chrono::milliseconds(milliseconds);
}

}  // namespace ridestream::rpc
