#pragma once

#include <map>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "libs/service/markets.h"

namespace ridestream::service {

/// Where the processes of one service are, market by market. Immutable.
class MarketAddresses {
 public:
  /// Reads the value of the flag --`flag`, in one of three forms:
  ///  * `HOST:PORT`: one address serves every market, e.g. that of a proxy.
  ///  * `city=HOST:PORT,porto=HOST:PORT`: these markets, and no others.
  ///  * `dispatch-{market}.example:7003`: the market's name is put into a DNS name, such as that of
  ///    a Service in Kubernetes. A name with several addresses is no list of standbys: a client
  ///    doesn't look at their health.
  /// In the first two, HOST:PORT may be several IP addresses of one family with their ports,
  /// separated by commas: a process that serves and its standbys.
  /// INVALID_ARGUMENT names the flag and what is wrong.
  static absl::StatusOr<MarketAddresses> Parse(std::string_view flag, std::string_view text);

  /// `address`, as rpc::MakeChannel takes it, serves every market.
  static MarketAddresses Single(std::string address);

  /// Whether the same address, or list of them, serves every market, so that calls needn't
  /// name a market.
  bool is_single() const { return by_market_.empty() && !is_template_; }

  /// Where the process that serves `market` is, as a target of rpc::MakeChannel; with is_single(),
  /// whatever the market.
  /// INVALID_ARGUMENT when it isn't an id, or can't be part of a DNS name; FAILED_PRECONDITION
  /// lists the known markets.
  absl::StatusOr<std::string> Find(std::string_view market) const;

  /// As it was parsed, for the log.
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  bool is_template_ = false;
  std::map<std::string, std::string, std::less<>> by_market_;
  ServedMarkets known_;
};

}  // namespace ridestream::service
