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
  /// The method's name on the wire: "/ridestream.trip.v1.TripService/QuoteTrip".
  std::string path;
  /// Not null.
  std::shared_ptr<MarketChannels> channels;
  /// May be nullptr.
  rpc::CallObserver* observer;
  /// Whether the method changes nothing, i.e. its REST route is a GET.
  bool is_query;

  bool client_streaming() const { return descriptor->client_streaming(); }
  bool server_streaming() const { return descriptor->server_streaming(); }
};

/// The services behind the gateway, described by their descriptors. Must not be changed once it is
/// filled; thread-safe from then on.
class Services {
 public:
  /// `observer` sees every call and must outlive all of them. May be null.
  explicit Services(rpc::CallObserver* observer = nullptr) : observer_(observer) {}

  /// Adds all services that `file` declares, reached by `channels`.
  void Add(const google::protobuf::FileDescriptor& file,
           const std::shared_ptr<MarketChannels>& channels);
  /// Returns nullptr if there is no such method.
  const Method* Find(std::string_view path) const;
  const std::map<std::string, Method, std::less<>>& methods() const { return methods_; }

  /// The full names of a file's services, for a channel's retry policy.
  static std::vector<std::string> Names(const google::protobuf::FileDescriptor& file);

 private:
  rpc::CallObserver* observer_;
  std::map<std::string, Method, std::less<>> methods_;
};

/// Begins a call to the process of the market that its metadata name. The call keeps itself alive
/// until it ends. If the process can't be found, the call ends with the error of
/// MarketChannels::Take.
///
/// Calls of all protocols begin here, so this function also removes names from the answers to
/// callers that the method's policy lists as anonymous. The response header `ridestream-pseudonym`
/// gives a driver its own pseudonym.
std::shared_ptr<Call> StartCall(const Method& method, const CallOptions& options,
                                CallEvents events);

}  // namespace ridestream::gateway
