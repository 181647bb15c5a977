#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "grpcpp/grpcpp.h"
#include "libs/base/clock.h"
#include "libs/roads/streets.h"
#include "libs/rpc/call_guard.h"
#include "libs/service/markets.h"
#include "ridestream/market/v1/market.grpc.pb.h"

namespace ridestream::trip {

/// MarketService over streets that never change. The messages are serialized once, and all readers
/// share the bytes, so that a slow reader costs no copy of the city. Thread-safe.
class MarketService final : public market::v1::MarketService::WithRawCallbackMethod_GetStreets<
                                market::v1::MarketService::WithCallbackMethod_ListMarkets<
                                    market::v1::MarketService::Service>> {
 public:
  /// `clock` and `authenticator` must outlive this object; the streets needn't.
  MarketService(const Clock& clock, const rpc::Authenticator& authenticator,
                const std::map<std::string, const roads::Streets*>& markets);

  grpc::ServerUnaryReactor* ListMarkets(grpc::CallbackServerContext* context,
                                        const market::v1::ListMarketsRequest* request,
                                        market::v1::ListMarketsResponse* response) override;
  /// Takes a serialized request and sends serialized messages.
  grpc::ServerWriteReactor<grpc::ByteBuffer>* GetStreets(grpc::CallbackServerContext* context,
                                                         const grpc::ByteBuffer* request) override;

 private:
  /// Returns the messages of the answer. INVALID_ARGUMENT or FAILED_PRECONDITION if the request is
  /// wrong.
  absl::StatusOr<const std::vector<grpc::ByteBuffer>*> Find(
      const grpc::CallbackServerContext& context, const grpc::ByteBuffer& request) const;

  const Clock& clock_;
  const service::ServedMarkets served_;
  const rpc::CallGuard guard_;
  market::v1::ListMarketsResponse markets_;                       // But for the time.
  std::map<std::string, std::vector<grpc::ByteBuffer>> streets_;  // By market, serialized.
};

}  // namespace ridestream::trip
