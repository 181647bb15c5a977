#include "clients/cpp/src/errors.h"

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace ridestream::client {
namespace {

// Payloads of a status.
constexpr char kKind[] = "ridestream.org/client/kind";
constexpr char kRetryAfterMs[] = "ridestream.org/client/retry-after-ms";
constexpr char kMarket[] = "ridestream.org/client/market";
constexpr char kAddress[] = "ridestream.org/client/address";

std::string PayloadOf(const absl::Status& status, const char* name) {
  const auto payload = status.GetPayload(name);
  return payload ? std::string(*payload) : "";
}

}  // namespace

absl::Status MakeError(absl::StatusCode code, const std::string& message,
                       const ErrorDetails& details) {
  absl::Status error(code, message);
  error.SetPayload(kKind, absl::Cord(absl::StrCat(static_cast<int>(details.kind))));
  if (details.retry_after) {
    error.SetPayload(kRetryAfterMs, absl::Cord(absl::StrCat(details.retry_after->count())));
  }
  if (!details.market.empty()) error.SetPayload(kMarket, absl::Cord(details.market));
  if (!details.address.empty()) error.SetPayload(kAddress, absl::Cord(details.address));
  return error;
}

ErrorDetails DetailsOf(const absl::Status& error) {
  ErrorDetails details;
  int kind = 0;
  if (absl::SimpleAtoi(PayloadOf(error, kKind), &kind)) details.kind = static_cast<ErrorKind>(kind);
  std::int64_t retry_after_ms = 0;
  if (absl::SimpleAtoi(PayloadOf(error, kRetryAfterMs), &retry_after_ms)) {
    details.retry_after = std::chrono::milliseconds(retry_after_ms);
  }
  details.market = PayloadOf(error, kMarket);
  details.address = PayloadOf(error, kAddress);
  return details;
}

absl::Status ProtocolError(const std::string& message) {
  return MakeError(absl::StatusCode::kInternal, message, {.kind = ErrorKind::kProtocol});
}

absl::Status Stopped() {
  return MakeError(absl::StatusCode::kCancelled, "the driver was closed",
                   {.kind = ErrorKind::kStopped});
}

bool IsFault(absl::StatusCode code) {
  return code == absl::StatusCode::kInternal || code == absl::StatusCode::kUnknown ||
         code == absl::StatusCode::kDataLoss || code == absl::StatusCode::kUnimplemented;
}

bool RefusedProof::MayRetry(const std::string& proof) {
  if (proof.empty() || proof == refused_) return false;
  refused_ = proof;
  return true;
}

}  // namespace ridestream::client
