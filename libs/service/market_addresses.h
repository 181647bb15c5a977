#pragma once

#include <map>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "libs/service/markets.h"

namespace ridestream::service {

/// The addresses of a service's processes by market. Immutable.
class MarketAddresses {
 public:
  /// Reads the value of the flag --`flag`, in one of four forms:
  ///  * `HOST:PORT`: one address serves every market, e.g. that of a proxy.
  ///  * `IP:PORT,IP:PORT`: a process and its standbys serve every market. The IP addresses are of
  ///    one family.
  ///  * `city=HOST:PORT,porto=HOST:PORT`: these markets, and no others. A market may have a list
  ///    instead of HOST:PORT.
  ///  * `dispatch-{market}.example:7003`: the market's name is put into a DNS name, such as that of
  ///    a Service in Kubernetes. A DNS name with several addresses doesn't work as a list of
  ///    standbys: a client doesn't check their health.
  /// INVALID_ARGUMENT names the flag and what is wrong.
  static absl::StatusOr<MarketAddresses> Parse(std::string_view flag, std::string_view text);

  /// One address for every market, in the form of rpc::MakeChannel.
  static MarketAddresses Single(std::string address);

  /// Whether one address, or one list of addresses, serves every market, so that calls need not
  /// name a market.
  bool is_single() const { return by_market_.empty() && !is_template_; }

  /// The address of the process that serves `market`, as a target of rpc::MakeChannel; if
  /// is_single(), the same for every market. INVALID_ARGUMENT if `market` isn't an id or can't be
  /// part of a DNS name; FAILED_PRECONDITION, with the known markets, if it isn't among them.
  absl::StatusOr<std::string> Find(std::string_view market) const;

  /// The parsed text, for the log.
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  bool is_template_ = false;
  std::map<std::string, std::string, std::less<>> by_market_;
  ServedMarkets known_;
};

}  // namespace ridestream::service
