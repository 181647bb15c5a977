#include "libs/rpc/server.h"

#include <fmt/format.h>

#include <utility>

#include "absl/status/status.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/grpc_log.h"

namespace ridestream::rpc {

absl::StatusOr<std::unique_ptr<Server>> Server::Start(ServerOptions options) {
  std::unique_ptr<Server> server(new Server(std::move(options)));
  if (absl::Status status = server->Begin(); !status.ok()) return status;
  return server;
}

absl::Status Server::Begin() {
  LogGrpcMessages();
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  builder.AddListeningPort(options_.address, grpc::InsecureServerCredentials(), &port_);
  // Otherwise a second process on the same port gets a share of the calls instead of an error.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, options_.max_streams_per_connection);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
  // gRPC checks a message's size before it inflates it and not after, so a small one can become
  // hundreds of megabytes: compressed messages are refused.
  builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 20'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 1'000);
  builder.SetMaxReceiveMessageSize(options_.max_message_bytes);
  builder.RegisterService(&health_);
  for (grpc::Service* service : options_.services) builder.RegisterService(service);
  if (options_.call_observer != nullptr) {
    std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> factories;
    factories.push_back(
        MakeCallInterceptorFactory(*options_.call_observer, options_.observed_by_service));
    builder.experimental().SetInterceptorCreators(std::move(factories));
  }

  server_ = builder.BuildAndStart();
  if (server_ == nullptr || port_ == 0) {
    return absl::UnavailableError(
        fmt::format("can't listen on {}: is the port in use, or the address not of this machine?",
                    options_.address));
  }
  keep_awake_ = std::make_unique<KeepAwake>();
  return absl::OkStatus();
}

Server::~Server() {
  if (server_ != nullptr) Drain(std::chrono::milliseconds(0));
}

std::shared_ptr<grpc::Channel> Server::InProcessChannel() {
  return server_->InProcessChannel(grpc::ChannelArguments());
}

void Server::SetServing(bool serving) { health_.SetServing(serving); }

void Server::Drain(std::chrono::milliseconds grace) {
  if (std::exchange(drained_, true)) return;
  health_.Drain();
  for (const auto& close_streams : options_.on_drain) close_streams();
  server_->Shutdown(std::chrono::system_clock::now() + grace);
  server_->Wait();
  keep_awake_.reset();
}

}  // namespace ridestream::rpc
