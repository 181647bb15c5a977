#pragma once

#include <map>
#include <string>
#include <vector>

#include "grpcpp/grpcpp.h"
#include "libs/base/clock.h"
#include "libs/roads/streets.h"
#include "ridestream/market/v1/market.grpc.pb.h"

namespace ridestream::trip {

/// MarketService over streets that never change: its messages are made once. Thread-safe.
class MarketService final : public market::v1::MarketService::CallbackService {
 public:
  /// `clock` must outlive it; the streets needn't.
  MarketService(const Clock& clock, const std::map<std::string, const roads::Streets*>& markets);

  grpc::ServerUnaryReactor* ListMarkets(grpc::CallbackServerContext* context,
                                        const market::v1::ListMarketsRequest* request,
                                        market::v1::ListMarketsResponse* response) override;
  grpc::ServerWriteReactor<market::v1::GetStreetsResponse>* GetStreets(
      grpc::CallbackServerContext* context, const market::v1::GetStreetsRequest* request) override;

 private:
  const Clock& clock_;
  market::v1::ListMarketsResponse markets_;  // But for the time.
  std::map<std::string, std::vector<market::v1::GetStreetsResponse>> streets_;
};

}  // namespace ridestream::trip
