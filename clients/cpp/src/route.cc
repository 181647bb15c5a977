#include "clients/cpp/src/route.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "clients/cpp/src/errors.h"

namespace ridestream::client {
namespace {

constexpr std::size_t kMaxHost = 253;
constexpr std::size_t kMaxPort = 5;

template <typename Is>
bool All(const std::string& text, Is is) {
  return std::all_of(text.begin(), text.end(), [&](char c) { return is(c); });
}

bool IsHostPort(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string::npos) return false;
  std::string host = address.substr(0, colon);
  const std::string port = address.substr(colon + 1);
  const auto is_digit = [](unsigned char c) { return absl::ascii_isdigit(c); };
  if (port.empty() || port.size() > kMaxPort || !All(port, is_digit)) return false;
  if (host.empty() || host.size() > kMaxHost) return false;
  if (host.front() != '[') {
    return All(host, [](unsigned char c) {
      return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-';
    });
  }
  if (host.size() < 3 || host.back() != ']') return false;
  return All(host.substr(1, host.size() - 2),
             [](unsigned char c) { return absl::ascii_isxdigit(c) || c == ':' || c == '.'; });
}

}  // namespace

void Route::OnWelcome() {
  is_welcomed_ = true;
  is_redirected_ = false;
}

absl::StatusOr<bool> Route::OnEnd(const std::string& named) {
  const bool was_welcomed = std::exchange(is_welcomed_, false);
  if (named.empty()) {
    if (!was_welcomed) address_ = address_ == configured_ ? named_ : configured_;
    return false;
  }
  if (!IsHostPort(named)) {
    return ProtocolError(absl::StrCat("the service named '", named, "', which isn't host:port"));
  }
  address_ = named_ = named;
  return !std::exchange(is_redirected_, true);
}

}  // namespace ridestream::client
