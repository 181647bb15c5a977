#include "libs/postgres/testing/patroni_cluster.h"

#include <fmt/format.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <thread>
#include <utility>

#include "libs/metrics/testing/scrape.h"
#include "libs/postgres/connection.h"
#include "libs/postgres/testing/postgres_server.h"
#include "libs/postgres/testing/server_programs.h"
#include "libs/process/free_port.h"

namespace ridestream::postgres::testing {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kClusterPatience{120};
constexpr std::chrono::milliseconds kClusterPollEvery{50};

// A primary that is silent for 5 s loses its lease. In synchronous mode Patroni promotes only a
// standby that has every acknowledged commit. Parameters of fmt::format: name, folder, bin, port,
// REST port, etcd's port, owner, password.
constexpr char kConfiguration[] = R"(
scope: ridestream
name: {0}
restapi: {{listen: "127.0.0.1:{4}", connect_address: "127.0.0.1:{4}"}}
etcd3: {{host: "127.0.0.1:{5}"}}
bootstrap:
  dcs:
    ttl: 5
    loop_wait: 1
    retry_timeout: 3
    synchronous_mode: true
    postgresql:
      use_pg_rewind: true
      parameters: {{wal_log_hints: "on", max_connections: 50, wal_keep_size: 64MB}}
  initdb: [{{encoding: UTF8}}, {{locale: C}}, {{wal-segsize: "4"}}, no-sync, {{auth: scram-sha-256}}]
  pg_hba:
    - local all all scram-sha-256
    - host all all 127.0.0.1/32 scram-sha-256
    - host replication all 127.0.0.1/32 scram-sha-256
postgresql:
  listen: "127.0.0.1:{3}"
  connect_address: "127.0.0.1:{3}"
  data_dir: {1}/{0}
  bin_dir: {2}
  pgpass: {1}/{0}.pgpass
  remove_data_directory_on_rewind_failure: true
  remove_data_directory_on_diverged_timelines: true
  authentication:
    superuser: {{username: {6}, password: {7}}}
    replication: {{username: replicator, password: {7}}}
    rewind: {{username: {6}, password: {7}}}
  parameters: {{unix_socket_directories: {1}, wal_retrieve_retry_interval: 500ms}}
)";

absl::Status NeedProgram(const std::string& path) {
  std::error_code ignored;
  if (fs::exists(path, ignored)) return absl::OkStatus();
  return absl::NotFoundError(fmt::format(
      "there is no {}; install what deploy/packages/failover.txt names: apt-get install patroni "
      "etcd-server",
      path));
}

constexpr char kPatroni[] = "/usr/bin/patroni";
constexpr char kEtcd[] = "/usr/bin/etcd";

}  // namespace

absl::StatusOr<std::unique_ptr<PatroniCluster>> PatroniCluster::Start() {
  absl::StatusOr<std::string> bin = FindPostgresBinaries();
  if (!bin.ok()) return bin.status();
  for (const char* program : {kPatroni, kEtcd}) {
    if (absl::Status status = NeedProgram(program); !status.ok()) return status;
  }
  absl::StatusOr<std::string> folder = MakeServerFolder(fs::temp_directory_path());
  if (!folder.ok()) return folder.status();
  auto cluster =
      std::unique_ptr<PatroniCluster>(new PatroniCluster(*std::move(bin), *std::move(folder)));
  absl::Status status = cluster->LaunchEtcd();
  for (Node& node : cluster->nodes_) {
    if (status.ok()) status = cluster->WriteConfiguration(node);
    if (status.ok()) status = cluster->Launch(node);
  }
  if (status.ok()) status = cluster->AwaitNode("/synchronous").status();
  if (!status.ok()) {
    cluster->KeepFolder();
    return status;
  }
  const Deadline deadline = std::chrono::steady_clock::now() + kClusterPatience;
  auto connection = Connection::Open(cluster->Url("postgres"), {}, deadline);
  if (!connection.ok()) return connection.status();
  status = (*connection)->Execute("CREATE DATABASE ridestream", deadline);
  if (!status.ok()) return status;
  return cluster;
}

PatroniCluster::PatroniCluster(std::string bin, std::string folder)
    : bin_(std::move(bin)), folder_(std::move(folder)), etcd_port_(process::FreePort()) {
  nodes_[0].name = "a";
  nodes_[1].name = "b";
  for (Node& node : nodes_) {
    node.port = process::FreePort();
    node.rest_port = process::FreePort();
  }
}

PatroniCluster::~PatroniCluster() {
  for (Node& node : nodes_) Kill(folder_, node);
  etcd_.reset();
  if (keep_folder_) return;
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

std::string PatroniCluster::Url(const std::string& database) const {
  return fmt::format(
      "postgresql://{}:{}@127.0.0.1:{},127.0.0.1:{}/{}?target_session_attrs=read-write",
      PostgresServer::kOwner, PostgresServer::kPassword, nodes_[0].port, nodes_[1].port, database);
}

absl::Status PatroniCluster::WriteConfiguration(const Node& node) const {
  const std::string path = fmt::format("{}/{}.yml", folder_, node.name);
  std::ofstream out(path);
  out << fmt::format(kConfiguration, node.name, folder_, bin_, node.port, node.rest_port,
                     etcd_port_, PostgresServer::kOwner, PostgresServer::kPassword);
  if (out.flush()) return absl::OkStatus();
  return absl::PermissionDeniedError(fmt::format("{}: can't be written", path));
}

absl::Status PatroniCluster::LaunchEtcd() {
  const std::string client = fmt::format("http://127.0.0.1:{}", etcd_port_);
  const std::string peer = fmt::format("http://127.0.0.1:{}", process::FreePort());
  auto etcd = process::ChildProcess::Start(AsServerUser(
      kEtcd,
      {"--name=etcd", "--data-dir=" + folder_ + "/etcd", "--listen-client-urls=" + client,
       "--advertise-client-urls=" + client, "--listen-peer-urls=" + peer,
       "--initial-advertise-peer-urls=" + peer, "--initial-cluster=etcd=" + peer},
      folder_ + "/etcd.log"));
  if (!etcd.ok()) return etcd.status();
  etcd_ = *std::move(etcd);
  return absl::OkStatus();
}

absl::Status PatroniCluster::Launch(Node& node) {
  // Patroni gets SIGTERM when a test aborts, and then stops its server too.
  auto patroni = process::ChildProcess::Start(
      AsServerUser(kPatroni, {fmt::format("{}/{}.yml", folder_, node.name)},
                   fmt::format("{}/{}.log", folder_, node.name), "TERM"));
  if (!patroni.ok()) return patroni.status();
  node.patroni = *std::move(patroni);
  return absl::OkStatus();
}

void PatroniCluster::Kill(const std::string& folder, Node& node) {
  if (node.patroni == nullptr) return;
  node.patroni->Stop(SIGKILL);
  node.patroni.reset();
  pid_t server = 0;
  std::ifstream(fmt::format("{}/{}/postmaster.pid", folder, node.name)) >> server;
  if (server <= 0) return;  // Patroni hadn't started a server.
  kill(server, SIGKILL);
  // The server isn't our child, so its end isn't signalled to us.
  const std::string executable = fmt::format("/proc/{}/exe", server);
  std::error_code gone;
  while (!fs::read_symlink(executable, gone).empty())
    std::this_thread::sleep_for(kClusterPollEvery);
}

absl::StatusOr<std::size_t> PatroniCluster::AwaitNode(const std::string& path) const {
  const auto end = std::chrono::steady_clock::now() + kClusterPatience;
  while (std::chrono::steady_clock::now() < end) {
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (nodes_[i].patroni == nullptr) continue;
      const std::string address = fmt::format("127.0.0.1:{}", nodes_[i].rest_port);
      if (metrics::testing::HttpGet(address, path).ok()) return i;
    }
    std::this_thread::sleep_for(kClusterPollEvery);
  }
  return absl::UnavailableError(fmt::format("no node of Patroni's is {} after {} s; its logs: {}",
                                            path, kClusterPatience.count(), folder_));
}

absl::Status PatroniCluster::KillPrimary() {
  const absl::StatusOr<std::size_t> primary = AwaitNode("/primary");
  if (!primary.ok()) return primary.status();
  Kill(folder_, nodes_[*primary]);
  return absl::OkStatus();
}

absl::Status PatroniCluster::Rejoin() {
  for (Node& node : nodes_) {
    if (node.patroni != nullptr) continue;
    if (absl::Status status = Launch(node); !status.ok()) return status;
  }
  return AwaitNode("/synchronous").status();
}

}  // namespace ridestream::postgres::testing
