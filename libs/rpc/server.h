#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "grpcpp/grpcpp.h"
#include "libs/base/host_port.h"
#include "libs/rpc/acceptor.h"
#include "libs/rpc/call_observer.h"
#include "libs/rpc/connection_table.h"
#include "libs/rpc/health_service.h"
#include "libs/rpc/keep_awake.h"
#include "libs/rpc/self_probe.h"

namespace ridestream::rpc {

struct ServerOptions {
  /// host:port; port 0 takes a free one.
  std::string address = "127.0.0.1:0";
  /// Not owned; must outlive the server.
  std::vector<grpc::Service*> services = {};
  /// How connections are secured; null: plaintext.
  std::shared_ptr<grpc::ServerCredentials> credentials = nullptr;
  /// Largest message that is read.
  int max_message_bytes = 4 << 20;
  /// Streams a client may have open on one connection.
  int max_streams_per_connection = 100;
  /// Bounds and counts the connections; by default within what the process's limit of open files
  /// allows. Not null.
  std::shared_ptr<ConnectionTable> connections =
      std::make_shared<ConnectionTable>(WithinDescriptors({}));
  /// Memory for connections and for what is read from them; with more in use gRPC reads less and
  /// ends streams. 0: a quarter of what the machine has, or of what the container may use.
  std::size_t memory_bytes = 0;
  /// Parts of the server that have a health of their own, by the names for which gRPC's health
  /// protocol asks; NOT_SERVING until SetServing.
  std::set<std::string> health_parts = {};
  /// Called once, on a thread of its own, when the server doesn't answer its own probes any more
  /// (see SelfProbe). Null: it isn't probed.
  std::function<void(const absl::Status&)> on_deaf = nullptr;
  /// Called at the start of Drain, after health says NOT_SERVING: each closes the streams of its
  /// service. A stream that is left open costs the full grace time.
  std::vector<std::function<void()>> on_drain = {};
  /// Observes every call; may be null. Must outlive the server.
  CallObserver* call_observer = nullptr;
  /// Full names of methods whose service calls the observer itself: MakeCallInterceptorFactory.
  std::set<std::string, std::less<>> observed_by_service = {};
};

/// A gRPC server with what every service of ours has: health, reflection, keepalive, bounds on what
/// strangers can take, an orderly end. Thread-safe.
class Server {
 public:
  /// UNAVAILABLE when the address can't be had, e.g. because the port is in use.
  static absl::StatusOr<std::unique_ptr<Server>> Start(ServerOptions options);
  /// Drains with no grace if Drain wasn't called.
  ~Server();

  int port() const { return acceptor_->port(); }
  /// The options' address, with the port that is served.
  std::string address() const { return WithPort(options_.address, port()); }
  /// Reaches this server without a socket, for tests and self-checks.
  std::shared_ptr<grpc::Channel> InProcessChannel();
  /// Sets the health of the server as a whole.
  void SetServing(bool serving) { SetServing("", serving); }
  /// Sets the health of one of the options' `health_parts`.
  void SetServing(const std::string& part, bool serving) { health_.SetServing(part, serving); }
  /// Unready, close streams, finish what is under way for at most `grace`, stop. Once.
  void Drain(std::chrono::milliseconds grace);

 private:
  explicit Server(ServerOptions options)
      : options_(std::move(options)), health_(options_.health_parts) {}
  absl::Status Begin();

  const ServerOptions options_;
  HealthService health_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<Acceptor> acceptor_;
  std::unique_ptr<SelfProbe> probe_;
  std::unique_ptr<KeepAwake> keep_awake_;
  bool drained_ = false;
};

}  // namespace ridestream::rpc
