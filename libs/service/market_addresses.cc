#include "libs/service/market_addresses.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "libs/base/host_port.h"
#include "libs/base/invariant.h"
#include "libs/base/validation.h"

namespace ridestream::service {
namespace {

constexpr std::string_view kPlaceholder = "{market}";
constexpr std::string_view kField = "ridestream-market";

/// Characters that belong to a map or a placeholder.
constexpr std::string_view kNotInHosts = "={}";

/// Whether a client can connect to `text`: it has a host and a port.
bool IsHostPort(std::string_view text) {
  if (text.find_first_of(kNotInHosts) != std::string_view::npos) return false;
  const absl::StatusOr<HostPort> address = ParseHostPort(text);
  return address.ok() && !address->host.empty() && address->port != 0;
}

/// A label of a DNS name (RFC 1123), in lower case as Kubernetes has it.
bool IsDnsLabel(std::string_view text) {
  constexpr std::size_t kMaxLabelBytes = 63;
  return !text.empty() && text.size() <= kMaxLabelBytes && text.front() != '-' &&
         text.back() != '-' && std::all_of(text.begin(), text.end(), [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return absl::ascii_islower(byte) || absl::ascii_isdigit(byte) || c == '-';
         });
}

std::string InsertMarket(std::string_view text, std::string_view market) {
  const std::size_t at = text.find(kPlaceholder);
  return fmt::format("{}{}{}", text.substr(0, at), market, text.substr(at + kPlaceholder.size()));
}

/// AF_INET or AF_INET6 if the host of `address` (host:port) is an IP address; else 0.
int FamilyOf(const std::string& address) {
  const std::string host = ParseHostPort(address)->host;
  in6_addr parsed;  // Large enough for both.
  for (const int family : {AF_INET, AF_INET6}) {
    if (inet_pton(family, host.c_str(), &parsed) == 1) return family;
  }
  return 0;
}

absl::Status NotAnAddress(std::string_view flag, std::string_view text) {
  return absl::InvalidArgumentError(
      fmt::format("--{}: '{}' is not HOST:PORT; write HOST:PORT, IP:PORT,IP:PORT for a process and "
                  "its standbys, MARKET=HOST:PORT,MARKET=HOST:PORT or a name such as "
                  "{}-{}.example:7000",
                  flag, text, flag, kPlaceholder));
}

/// Appends `address` to a list, which may be empty.
absl::Status Append(std::string_view flag, const std::string& address, std::string& list) {
  if (!IsHostPort(address)) return NotAnAddress(flag, address);
  if (list.empty()) {
    list = address;
    return absl::OkStatus();
  }
  const int family = FamilyOf(list.substr(0, list.find(',')));
  if (family == 0 || FamilyOf(address) != family) {
    return absl::InvalidArgumentError(fmt::format(
        "--{}: '{},{}' must be IP addresses of one family where several processes are listed; a "
        "DNS name stands alone",
        flag, list, address));
  }
  list += ',' + address;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<MarketAddresses> MarketAddresses::Parse(std::string_view flag,
                                                       std::string_view text) {
  MarketAddresses addresses;
  if (text.find(kPlaceholder) != std::string_view::npos) {
    addresses.text_ = text;
    addresses.is_template_ = true;
    if (!IsHostPort(InsertMarket(text, "m"))) return NotAnAddress(flag, text);
    return addresses;
  }
  const bool is_map = text.find('=') != std::string_view::npos;
  std::set<std::string, std::less<>> known;
  std::string* list = is_map ? nullptr : &addresses.text_;
  for (const absl::string_view entry :
       absl::StrSplit(absl::string_view(text.data(), text.size()), ',')) {
    std::string address(entry);
    if (const std::size_t equals = address.find('='); equals != std::string::npos) {
      const std::string market = address.substr(0, equals);
      address.erase(0, equals + 1);
      if (absl::Status status = ValidateId(market, fmt::format("--{}: a market", flag));
          !status.ok()) {
        return status;
      }
      if (!known.insert(market).second) {
        return absl::InvalidArgumentError(
            fmt::format("--{}: the market '{}' is listed twice", flag, market));
      }
      list = &addresses.by_market_[market];
    }
    if (list == nullptr) return NotAnAddress(flag, address);  // Before the first market.
    if (absl::Status status = Append(flag, address, *list); !status.ok()) return status;
  }
  addresses.text_ = text;
  addresses.known_ = ServedMarkets(std::move(known));
  return addresses;
}

MarketAddresses MarketAddresses::Single(std::string address) {
  MarketAddresses addresses;
  addresses.text_ = std::move(address);
  return addresses;
}

absl::StatusOr<std::string> MarketAddresses::Find(std::string_view market) const {
  if (is_single()) return text_;
  if (market.empty()) {
    return absl::InvalidArgumentError(fmt::format(
        "{}: is missing; several markets are served here, so the call must name one", kField));
  }
  if (absl::Status status = ValidateId(market, kField); !status.ok()) return status;
  if (is_template_) {
    if (IsDnsLabel(market)) return InsertMarket(text_, market);
    return absl::InvalidArgumentError(
        fmt::format("{}: '{}' can't be part of a DNS name: 1 to 63 of a-z, 0-9 and '-', which "
                    "isn't first or last",
                    kField, market));
  }
  if (absl::Status status = known_.Check(market, kField); !status.ok()) return status;
  const auto address = by_market_.find(market);
  if (!RIDESTREAM_INVARIANT(address != by_market_.end(), "a known market has an address")) {
    return absl::InternalError(fmt::format("'{}' has no address", market));
  }
  return address->second;
}

}  // namespace ridestream::service
