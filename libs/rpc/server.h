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
  /// host:port; port 0 chooses a free port.
  std::string address = "127.0.0.1:0";
  /// Not owned; must outlive the server.
  std::vector<grpc::Service*> services = {};
  /// How connections are secured; null: plaintext.
  std::shared_ptr<grpc::ServerCredentials> credentials = nullptr;
  /// Maximum size of a received message.
  int max_message_bytes = 4 << 20;
  /// Maximum number of open streams on one connection.
  int max_streams_per_connection = 100;
  /// Limits and counts the connections; by default within the process's limit of open files. Not
  /// null.
  std::shared_ptr<ConnectionTable> connections =
      std::make_shared<ConnectionTable>(WithinDescriptors({}));
  /// Memory for connections and received data. When it is exceeded, gRPC reads less and ends
  /// streams. 0: a quarter of the machine's or the container's memory.
  std::size_t memory_bytes = 0;
  /// Parts of the server with their own health, by the names used in gRPC's health protocol. They
  /// are NOT_SERVING until SetServing.
  std::set<std::string> health_parts = {};
  /// Called once, on a separate thread, when the server doesn't answer its own probes any more (see
  /// SelfProbe). Null: no probes.
  std::function<void(const absl::Status&)> on_deaf = nullptr;
  /// Called at the start of Drain, after the health has become NOT_SERVING. Each closes the streams
  /// of its service. A stream that is left open costs the full grace time.
  std::vector<std::function<void()>> on_drain = {};
  /// Observes every call; may be null. Must outlive the server.
  CallObserver* call_observer = nullptr;
  /// Full names of methods whose service notifies the observer itself; see
  /// MakeCallInterceptorFactory.
  std::set<std::string, std::less<>> observed_by_service = {};
  /// Whose wish to be traced is obeyed; null: everybody's.
  MayForceSampling may_force_sampling = nullptr;
};

/// A gRPC server with the features that all our services share: health, reflection, keepalive,
/// limits on clients' resources, and an orderly shutdown. Thread-safe.
class Server {
 public:
  /// UNAVAILABLE if the address can't be bound, e.g. because the port is in use.
  static absl::StatusOr<std::unique_ptr<Server>> Start(ServerOptions options);
  /// Drains without grace if Drain wasn't called.
  ~Server();

  int port() const { return acceptor_->port(); }
  /// The address of the options, with the actual port.
  std::string address() const { return WithPort(options_.address, port()); }
  /// Reaches this server without a socket, for tests.
  std::shared_ptr<grpc::Channel> InProcessChannel();
  /// Sets the health of the server as a whole.
  void SetServing(bool serving) { SetServing("", serving); }
  /// Sets the health of one of the options' `health_parts`.
  void SetServing(const std::string& part, bool serving) { health_.SetServing(part, serving); }
  /// Reports NOT_SERVING, closes streams, waits at most `grace` for running calls, and stops. Call
  /// once.
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
