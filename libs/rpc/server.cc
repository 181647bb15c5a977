#include "libs/rpc/server.h"

#include <utility>

#include "absl/status/status.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/resource_quota.h"
#include "libs/rpc/callback_threads.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/grpc_log.h"
#include "libs/rpc/memory_limit.h"

namespace ridestream::rpc {
namespace {

/// A connection that hasn't completed an HTTP/2 handshake by then is closed.
constexpr int kHandshakeTimeoutMs = 10'000;
/// A connection without an open call for this long is closed.
constexpr int kIdleTimeoutMs = 120'000;

/// Threads for the library's reflection, one for each stream; further streams are refused.
constexpr int kMaxThreads = 16;

void SetKeepalive(grpc::ServerBuilder& builder) {
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 20'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  // Half the interval at which services send them, because a busy process or network may shorten
  // the interval. gRPC closes a connection after three that come sooner.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             static_cast<int>(kInnerKeepalive.time.count() / 2));
}

void SetLimits(grpc::ServerBuilder& builder, const ServerOptions& options) {
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, kIdleTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, options.max_streams_per_connection);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
  builder.SetMaxReceiveMessageSize(options.max_message_bytes);
  // Refuses compressed messages: gRPC checks a message's size before decompressing it but not
  // after, so a small message could expand to hundreds of megabytes.
  builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
  grpc::ResourceQuota quota("server");
  quota.Resize(options.memory_bytes > 0 ? options.memory_bytes : MemoryLimitBytes() / 4);
  quota.SetMaxThreads(kMaxThreads);
  builder.SetResourceQuota(quota);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Start(ServerOptions options) {
  std::unique_ptr<Server> server(new Server(std::move(options)));
  if (absl::Status status = server->Begin(); !status.ok()) return status;
  return server;
}

absl::Status Server::Begin() {
  LogGrpcMessages();
  absl::StatusOr<std::unique_ptr<Acceptor>> acceptor =
      Acceptor::Listen({.address = options_.address, .connections = options_.connections});
  if (!acceptor.ok()) return acceptor.status();
  acceptor_ = *std::move(acceptor);

  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  SetKeepalive(builder);
  SetLimits(builder, options_);
  builder.RegisterService(&health_);
  for (grpc::Service* service : options_.services) builder.RegisterService(service);
  std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> factories;
  factories.push_back(MakeCallInterceptorFactory(
      options_.call_observer, options_.observed_by_service, options_.may_force_sampling));
  builder.experimental().SetInterceptorCreators(std::move(factories));
  const auto hand_over = [&builder](std::shared_ptr<grpc::ServerCredentials> credentials) {
    std::shared_ptr<grpc::experimental::ExternalConnectionAcceptor> external =
        builder.experimental().AddExternalConnectionAcceptor(
            grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
            std::move(credentials));
    return [external](int descriptor) {
      grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters parameters;
      parameters.fd = descriptor;
      external->HandleNewConnection(&parameters);
    };
  };
  // gRPC can't make a secure channel from the probe's socket. It isn't needed: only this process
  // has access to the socket.
  const Acceptor::OnConnection to_probe = hand_over(grpc::InsecureServerCredentials());
  const Acceptor::OnConnection to_clients =
      options_.credentials == nullptr ? to_probe : hand_over(options_.credentials);
  server_ = builder.BuildAndStart();
  if (server_ == nullptr) return absl::InternalError("gRPC can't start a server");
  keep_awake_ = std::make_unique<KeepAwake>();
  acceptor_->Start(to_clients, to_probe);
  if (options_.on_deaf) {
    probe_ =
        std::make_unique<SelfProbe>(*acceptor_, SelfProbe::Options{.on_deaf = options_.on_deaf});
  }
  return absl::OkStatus();
}

Server::~Server() {
  if (server_ != nullptr) Drain(std::chrono::milliseconds(0));
}

std::shared_ptr<grpc::Channel> Server::InProcessChannel() {
  KeepCallbackThreads();
  return server_->InProcessChannel(grpc::ChannelArguments());
}

void Server::Drain(std::chrono::milliseconds grace) {
  if (std::exchange(drained_, true)) return;
  probe_.reset();
  health_.Drain();
  for (const auto& close_streams : options_.on_drain) close_streams();
  acceptor_->Stop();
  server_->Shutdown(std::chrono::system_clock::now() + grace);
  server_->Wait();
  keep_awake_.reset();
}

}  // namespace ridestream::rpc
