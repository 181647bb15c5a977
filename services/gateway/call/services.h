#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "google/protobuf/descriptor.h"
#include "libs/rpc/call_observer.h"
#include "services/gateway/call/call.h"
#include "services/gateway/call/market_channels.h"

namespace ridestream::gateway {

/// A method of a service behind the gateway.
struct Method {
  const google::protobuf::MethodDescriptor* descriptor;
  /// "/ridestream.trip.v1.TripService/QuoteTrip", as gRPC names it.
  std::string path;
  /// Not null.
  std::shared_ptr<MarketChannels> channels;
  /// May be nullptr.
  rpc::CallObserver* observer;
  /// Changes nothing: its route is a GET.
  bool is_query;

  bool client_streaming() const { return descriptor->client_streaming(); }
  bool server_streaming() const { return descriptor->server_streaming(); }
};

/// The services behind the gateway, known by their descriptors. Immutable once it is filled, and
/// then thread-safe.
class Services {
 public:
  /// `observer`, if there is one, sees every call and must outlive them.
  explicit Services(rpc::CallObserver* observer = nullptr) : observer_(observer) {}

  /// All services that `file` declares are reached by `channels`.
  void Add(const google::protobuf::FileDescriptor& file,
           const std::shared_ptr<MarketChannels>& channels);
  /// nullptr if there is no such method.
  const Method* Find(std::string_view path) const;
  const std::map<std::string, Method, std::less<>>& methods() const { return methods_; }

  /// The names of a file's services, for the retry policy of a channel.
  static std::vector<std::string> Names(const google::protobuf::FileDescriptor& file);

 private:
  rpc::CallObserver* observer_;
  std::map<std::string, Method, std::less<>> methods_;
};

/// Begins a call, to the process of the market that its metadata name. It lives until its end by
/// itself. A call whose process can't be found ends with the error of MarketChannels::Take.
///
/// The calls of all protocols begin here, so this function also removes names from the answers to
/// callers that the method's policy lists as anonymous. A driver learns its own pseudonym from the
/// response header `ridestream-pseudonym`.
std::shared_ptr<Call> StartCall(const Method& method, const CallOptions& options,
                                CallEvents events);

}  // namespace ridestream::gateway
