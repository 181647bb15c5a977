#include "libs/postgres/testing/server_programs.h"

#include <fmt/format.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace ridestream::postgres::testing {

namespace fs = std::filesystem;

absl::StatusOr<std::string> FindPostgresBinaries() {
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

process::ChildProcess::Options AsServerUser(const std::string& binary,
                                            std::vector<std::string> arguments,
                                            const std::string& log_path,
                                            const std::string& last_signal) {
  std::vector<std::string> all = {"--pdeathsig=" + last_signal};
  if (geteuid() == 0) {
    all.insert(all.end(), {"--reuid=nobody", "--regid=nogroup", "--clear-groups"});
  }
  all.push_back(binary);
  all.insert(all.end(), arguments.begin(), arguments.end());
  return {.binary = "setpriv", .arguments = std::move(all), .log_path = log_path};
}

absl::Status RunToItsEnd(const process::ChildProcess::Options& options) {
  auto child = process::ChildProcess::Start(options);
  if (!child.ok()) return child.status();
  const int status = (*child)->Stop(0);
  if (status == 0) return absl::OkStatus();
  return absl::InternalError(fmt::format("{} {}: {}", options.binary,
                                         process::DescribeWaitStatus(status), (*child)->LogEnd()));
}

absl::StatusOr<std::string> MakeServerFolder(const std::string& parent) {
  // Absolute, because libpq interprets a relative path as a host name.
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

}  // namespace ridestream::postgres::testing
