#include "libs/postgres/testing/postgres_server.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>
#include <utility>

namespace ridestream::postgres::testing {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kPatience{30};
constexpr std::chrono::milliseconds kPollEvery{5};

absl::StatusOr<std::string> FindBinaries() {
  if (const char* named = std::getenv("RIDESTREAM_POSTGRES_BIN")) return named;
  std::vector<std::string> found;
  std::error_code ignored;
  for (const auto& version : fs::directory_iterator("/usr/lib/postgresql", ignored)) {
    const std::string bin = version.path() / "bin";
    if (fs::exists(bin + "/initdb", ignored)) found.push_back(bin);
  }
  if (!found.empty()) return *std::max_element(found.begin(), found.end());
  return absl::NotFoundError(
      "there is no PostgreSQL server here; install it: apt-get install postgresql "
      "(deploy/packages/postgres.txt), or set RIDESTREAM_POSTGRES_BIN to the folder of initdb");
}

/// Runs a program to its end; as nobody when this process is root.
process::ChildProcess::Options AsServerUser(const std::string& binary,
                                            std::vector<std::string> arguments,
                                            const std::string& log_path) {
  // It ends with this process, also when a test aborts.
  std::vector<std::string> all = {"--pdeathsig=QUIT"};
  if (geteuid() == 0) {
    all.insert(all.end(), {"--reuid=nobody", "--regid=nogroup", "--clear-groups"});
  }
  all.push_back(binary);
  all.insert(all.end(), arguments.begin(), arguments.end());
  return {.binary = "setpriv", .arguments = std::move(all), .log_path = log_path};
}

absl::Status Run(const process::ChildProcess::Options& options) {
  auto child = process::ChildProcess::Start(options);
  if (!child.ok()) return child.status();
  const int status = (*child)->Stop(0);
  if (status == 0) return absl::OkStatus();
  return absl::InternalError(fmt::format("{} {}: {}", options.binary,
                                         process::DescribeWaitStatus(status), (*child)->LogEnd()));
}

absl::StatusOr<std::string> MakeFolder(const std::string& parent) {
  // Absolute, since libpq takes another name for a host's.
  std::string path = fs::absolute(parent) / "ridestream-pg-XXXXXX";
  if (mkdtemp(path.data()) == nullptr) {
    return absl::PermissionDeniedError(fmt::format("{}: {}", path, std::strerror(errno)));
  }
  const passwd* nobody = geteuid() == 0 ? getpwnam("nobody") : nullptr;
  if (nobody != nullptr && chown(path.c_str(), nobody->pw_uid, nobody->pw_gid) != 0) {
    return absl::PermissionDeniedError(fmt::format("{}: {}", path, std::strerror(errno)));
  }
  return path;
}

absl::Status InitializeCluster(const std::string& bin, const std::string& folder) {
  const std::string password_file = folder + "/password";
  std::ofstream(password_file) << PostgresServer::kPassword;
  return Run(AsServerUser(
      bin + "/initdb",
      {"--pgdata=" + folder + "/data", "--no-sync", "--encoding=UTF8", "--locale=C",
       "--auth=scram-sha-256", "--wal-segsize=4",
       std::string("--username=") + PostgresServer::kOwner, "--pwfile=" + password_file},
      folder + "/initdb.log"));
}

/// initdb takes seconds: it is done once per machine, user and version, and copied from there.
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
    absl::StatusOr<std::string> made = MakeFolder(fs::temp_directory_path());
    status = made.status();
    if (made.ok()) status = InitializeCluster(bin, *made);
    if (status.ok()) fs::rename(*made, path);  // Whole, or not at all.
  }
  close(lock);
  if (!status.ok()) return status;
  return path;
}

}  // namespace

absl::StatusOr<std::unique_ptr<PostgresServer>> PostgresServer::Start(Options options) {
  absl::StatusOr<std::string> bin = FindBinaries();
  if (!bin.ok()) return bin.status();
  const absl::StatusOr<std::string> initialized = Template(*bin);
  if (!initialized.ok()) return initialized.status();
  absl::StatusOr<std::string> folder =
      MakeFolder(options.parent.empty() ? fs::temp_directory_path().string() : options.parent);
  if (!folder.ok()) return folder.status();
  auto server = std::unique_ptr<PostgresServer>(
      new PostgresServer(std::move(options), *std::move(bin), *std::move(folder)));
  absl::Status status = Run({.binary = "cp",
                             .arguments = {"-a", *initialized + "/data", server->folder_ + "/data"},
                             .log_path = server->folder_ + "/cp.log"});
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

absl::Status PostgresServer::Restart() {
  std::vector<std::string> arguments = {
      "-D", folder_ + "/data",   "-k", folder_,
      "-c", "listen_addresses=", "-c", fmt::format("fsync={}", options_.fsync ? "on" : "off")};
  for (const std::string& setting : options_.settings) {
    arguments.insert(arguments.end(), {"-c", setting});
  }
  auto process = process::ChildProcess::Start(
      AsServerUser(bin_ + "/postgres", std::move(arguments), folder_ + "/log"));
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

void PostgresServer::Stop(int signal) {
  process_->Stop(signal);
  process_.reset();
}

std::string PostgresServer::Url(const std::string& database, const std::string& user,
                                const std::string& password) const {
  return fmt::format("postgresql://{}:{}@/{}?host={}", user, password, database, folder_);
}

absl::Status PostgresServer::Execute(const std::string& sql, const std::string& database) {
  const Deadline deadline = std::chrono::steady_clock::now() + kPatience;
  auto connection = Connection::Open(Url(database), {}, deadline);
  if (!connection.ok()) return connection.status();
  return (*connection)->Execute(sql, deadline);
}

}  // namespace ridestream::postgres::testing
