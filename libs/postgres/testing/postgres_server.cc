#include "libs/postgres/testing/postgres_server.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <libpq-fe.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>
#include <utility>

#include "libs/postgres/testing/server_programs.h"
#include "libs/process/free_port.h"

namespace ridestream::postgres::testing {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kPatience{30};
constexpr std::chrono::milliseconds kPollEvery{5};

/// Makes a program run in a mount namespace where `folder` is a small disk of its own.
process::ChildProcess::Options OnSmallDisk(process::ChildProcess::Options program,
                                           const std::string& folder, int megabytes) {
  std::vector<std::string> all = {
      "--mount",
      "sh",
      "-c",
      "mount -t tmpfs -o uid=nobody,gid=nogroup,size=\"$1\" none \"$0\" && shift && exec \"$@\"",
      folder,
      fmt::format("{}m", megabytes),
      program.binary};
  all.insert(all.end(), program.arguments.begin(), program.arguments.end());
  program.binary = "unshare";
  program.arguments = std::move(all);
  return program;
}

absl::Status InitializeCluster(const std::string& bin, const std::string& folder) {
  const std::string password_file = folder + "/password";
  std::ofstream(password_file) << PostgresServer::kPassword;
  return RunToItsEnd(AsServerUser(
      bin + "/initdb",
      {"--pgdata=" + folder + "/data", "--no-sync", "--encoding=UTF8", "--locale=C",
       "--auth=scram-sha-256", "--wal-segsize=4",
       std::string("--username=") + PostgresServer::kOwner, "--pwfile=" + password_file},
      folder + "/initdb.log"));
}

/// initdb takes seconds, so its result is created once per machine, user and version, and copied.
absl::StatusOr<std::string> Template(const std::string& bin) {
  std::string name = bin;
  std::replace(name.begin(), name.end(), '/', '-');
  const std::string path = fmt::format("{}/ridestream-pg-template-{}{}",
                                       fs::temp_directory_path().string(), geteuid(), name);
  const int lock = open((path + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0 || flock(lock, LOCK_EX) != 0) {
    if (lock >= 0) close(lock);
    return absl::PermissionDeniedError(fmt::format("{}.lock: {}", path, std::strerror(errno)));
  }
  absl::Status status;
  if (!fs::exists(path)) {
    absl::StatusOr<std::string> made = MakeServerFolder(fs::temp_directory_path());
    status = made.status();
    if (made.ok()) status = InitializeCluster(bin, *made);
    // Atomic, so that others see a complete folder or none.
    if (status.ok()) fs::rename(*made, path);
  }
  close(lock);
  if (!status.ok()) return status;
  return path;
}

}  // namespace

absl::StatusOr<std::unique_ptr<PostgresServer>> PostgresServer::Start(Options options) {
  absl::StatusOr<std::string> bin = FindPostgresBinaries();
  if (!bin.ok()) return bin.status();
  const absl::StatusOr<std::string> initialized = Template(*bin);
  if (!initialized.ok()) return initialized.status();
  absl::StatusOr<std::string> folder = MakeServerFolder(
      options.parent.empty() ? fs::temp_directory_path().string() : options.parent);
  if (!folder.ok()) return folder.status();
  auto server = std::unique_ptr<PostgresServer>(
      new PostgresServer(std::move(options), *std::move(bin), *std::move(folder)));
  absl::Status status =
      RunToItsEnd({.binary = "cp",
                   .arguments = {"-a", *initialized + "/data", server->folder_ + "/data"},
                   .log_path = server->folder_ + "/cp.log"});
  if (server->options_.small_disk_mb > 0) fs::create_directory(server->small_disk());
  if (status.ok() && server->options_.tls) status = server->SetUpTls();
  if (status.ok()) status = server->Restart();
  if (status.ok()) status = server->Execute("CREATE DATABASE ridestream", "postgres");
  if (!status.ok()) return status;
  return server;
}

PostgresServer::~PostgresServer() {
  if (process_ != nullptr) Stop(SIGQUIT);
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

absl::Status PostgresServer::SetUpTls() {
  const std::string certificate = folder_ + "/server.pem";
  const std::string key = folder_ + "/server.key";
  std::vector<std::string> copy = {"--mode=600"};
  if (geteuid() == 0) copy.insert(copy.end(), {"--owner=nobody", "--group=nogroup"});
  for (const auto& [from, to] :
       {std::pair(options_.tls->certificate, certificate), std::pair(options_.tls->key, key)}) {
    std::vector<std::string> arguments = copy;
    arguments.insert(arguments.end(), {from, to});
    absl::Status status = RunToItsEnd({.binary = "install",
                                       .arguments = std::move(arguments),
                                       .log_path = folder_ + "/install.log"});
    if (!status.ok()) return status;
  }
  port_ = process::FreePort();
  tls_settings_ = {"listen_addresses=127.0.0.1", "ssl=on", "ssl_cert_file=" + certificate,
                   "ssl_key_file=" + key};
  return absl::OkStatus();
}

absl::Status PostgresServer::Restart() {
  std::vector<std::string> settings = {"listen_addresses=", fmt::format("port={}", port_),
                                       fmt::format("fsync={}", options_.fsync ? "on" : "off")};
  settings.insert(settings.end(), tls_settings_.begin(), tls_settings_.end());
  settings.insert(settings.end(), options_.settings.begin(), options_.settings.end());
  std::vector<std::string> arguments = {"-D", folder_ + "/data", "-k", folder_};
  for (const std::string& setting : settings) {
    arguments.insert(arguments.end(), {"-c", setting});
  }
  process::ChildProcess::Options program =
      AsServerUser(bin_ + "/postgres", std::move(arguments), folder_ + "/log");
  if (options_.small_disk_mb > 0) {
    program = OnSmallDisk(std::move(program), small_disk(), options_.small_disk_mb);
  }
  auto process = process::ChildProcess::Start(program);
  if (!process.ok()) return process.status();
  process_ = *std::move(process);
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (PQping(Url("postgres").c_str()) != PQPING_OK) {
    if (process_->HasEnded() || std::chrono::steady_clock::now() > end) {
      return absl::UnavailableError("PostgreSQL doesn't start: " + process_->LogEnd());
    }
    std::this_thread::sleep_for(kPollEvery);
  }
  return absl::OkStatus();
}

bool PostgresServer::CanMount() {
  return RunToItsEnd({.binary = "unshare",
                      .arguments = {"--mount", "mount", "-t", "tmpfs", "none", "/mnt"},
                      .log_path = "/dev/null"})
      .ok();
}

void PostgresServer::SignalAll(int signal) const {
  // Each server process has its own process group.
  std::ifstream children(fmt::format("/proc/{0}/task/{0}/children", process_->pid()));
  process_->Signal(signal);
  for (pid_t child = 0; children >> child;) kill(child, signal);
}

void PostgresServer::Stop(int signal) {
  process_->Stop(signal);
  process_.reset();
}

std::string PostgresServer::Url(const std::string& database, const std::string& user,
                                const std::string& password) const {
  return fmt::format("postgresql://{}:{}@/{}?host={}&port={}", user, password, database, folder_,
                     port_);
}

std::string PostgresServer::TcpUrl(const std::string& parameters) const {
  return fmt::format("postgresql://{}:{}@127.0.0.1:{}/ridestream?{}", kOwner, kPassword, port_,
                     parameters);
}

absl::Status PostgresServer::Execute(const std::string& sql, const std::string& database) {
  const Deadline deadline = std::chrono::steady_clock::now() + kPatience;
  auto connection = Connection::Open(Url(database), {}, deadline);
  if (!connection.ok()) return connection.status();
  return (*connection)->Execute(sql, deadline);
}

}  // namespace ridestream::postgres::testing
