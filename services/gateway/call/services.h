#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "google/protobuf/descriptor.h"
#include "libs/rpc/call_observer.h"
#include "libs/rpc/channel_pool.h"
#include "services/gateway/call/call.h"

namespace ridestream::gateway {

/// A service's channels: a pool for each CallerClass, by its number, with connections of its own.
/// `credentials`: null for plaintext.
using ServiceChannels = std::array<std::shared_ptr<rpc::ChannelPool>, kCallerClasses>;
ServiceChannels MakeServiceChannels(
    const std::string& address, const std::vector<std::string>& retried_services = {},
    std::shared_ptr<grpc::ChannelCredentials> credentials = nullptr);

/// A method of a service behind the gateway.
struct Method {
  const google::protobuf::MethodDescriptor* descriptor;
  /// "/ridestream.trip.v1.TripService/QuoteTrip", as gRPC names it.
  std::string path;
  /// One for each CallerClass, by its number.
  ServiceChannels channels;
  /// nullptr if nobody wants to know.
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
  /// `observer`, if there is one, is told of every call, and outlives them.
  explicit Services(rpc::CallObserver* observer = nullptr) : observer_(observer) {}

  /// All services that `file` declares are reached by `channels`.
  void Add(const google::protobuf::FileDescriptor& file, const ServiceChannels& channels);
  /// nullptr if there is no such method.
  const Method* Find(std::string_view path) const;
  const std::map<std::string, Method, std::less<>>& methods() const { return methods_; }

  /// The names of a file's services, for the retry policy of a channel.
  static std::vector<std::string> Names(const google::protobuf::FileDescriptor& file);

 private:
  rpc::CallObserver* observer_;
  std::map<std::string, Method, std::less<>> methods_;
};

/// Begins a call. It lives until its end by itself.
std::shared_ptr<Call> StartCall(const Method& method, const CallOptions& options,
                                CallEvents events);

}  // namespace ridestream::gateway
