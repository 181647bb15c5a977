// Runs Ridestream's services on this machine, and a command beside them.

#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "deploy/supervisor/ride_profile.h"
#include "deploy/supervisor/supervisor.h"
#include "libs/postgres/testing/postgres_server.h"
#include "libs/process/bin_folder.h"
#include "libs/process/door.h"
#include "libs/process/local_services.h"
#include "libs/service/service.h"

ABSL_FLAG(std::string, bin, "",
          "Folder of Ridestream's binaries. Empty: the folder of this program");
ABSL_FLAG(std::string, market, "city", "Market to serve");
ABSL_FLAG(std::string, roads, "city:1",
          "Streets of the market: city:SEED for the built-in city, or an OpenStreetMap file");
ABSL_FLAG(std::string, data, "",
          "Folder in which trip stores the trips. Empty: a temporary folder, removed at the end");
ABSL_FLAG(std::string, store, "sqlite",
          "Where trip stores the trips: sqlite (the folder --data) or postgres (the database "
          "--postgres)");
ABSL_FLAG(std::string, postgres, "",
          "With --store=postgres: URL of the database. Empty: a new PostgreSQL server in a "
          "temporary folder, removed at the end");
ABSL_FLAG(std::string, web, "", "Folder with the built page of the live map. Empty: no page");
ABSL_FLAG(std::string, door, "",
          "HAProxy configuration of the door (deploy/door/haproxy.cfg), through which the command "
          "reaches trip and dispatch. Empty: no door");
ABSL_FLAG(bool, fixed_ports, false,
          "Serve the gateway on port 7000, trip, location and dispatch on 7001 to 7003, the "
          "metrics of each on its port plus 100, and the door on 7443. Without this flag each "
          "process takes free ports");
ABSL_FLAG(bool, open, false, "Open the live map in a browser");
ABSL_FLAG(std::string, authority, "",
          "Folder of a throwaway authority (`authority create`) for the services. Empty: a new one "
          "in a temporary folder");
ABSL_FLAG(
    bool, profile_one_ride, false,
    "Trace the load's first rides, and print the spans of one completed ride at the end. Needs "
    "a COMMAND that starts the load generator, and no collector");
ABSL_FLAG(bool, insecure, false,
          "Run the services with --insecure: plaintext, without certificates and tokens");

namespace ridestream::supervisor {
namespace {

constexpr char kUsage[] =
    R"(Starts trip, location, dispatch and the gateway on this machine, waits until all of them are ready,
and runs a command beside them. Without a command it runs until Ctrl-C. With --door,
the command reaches trip and dispatch through HAProxy.

  supervisor [flags] [-- COMMAND ARGUMENT...]

The command finds the services by environment variables: RIDESTREAM_TRIP, RIDESTREAM_LOCATION,
RIDESTREAM_DISPATCH and RIDESTREAM_GATEWAY for their addresses, RIDESTREAM_TRIP_METRICS and so on for
their metrics. RIDESTREAM_AUTHORITY is the folder of the throwaway authority. With --insecure,
RIDESTREAM_INSECURE=true replaces it.

Exit status: the command's, or 1 if a service failed. The logs are then kept.)";

std::vector<std::string> PortFlags(int port) {
  return {fmt::format("--listen=127.0.0.1:{}", port),
          fmt::format("--metrics_listen=127.0.0.1:{}", port + 100)};
}

process::LocalServices::Options ServicesFromFlags() {
  const std::string clock_rate = fmt::format("--clock_rate={}", absl::GetFlag(FLAGS_clock_rate));
  const std::string markets =
      fmt::format("--markets={}={}", absl::GetFlag(FLAGS_market), absl::GetFlag(FLAGS_roads));
  process::LocalServices::Options options{
      .bin = process::BinFolder(absl::GetFlag(FLAGS_bin)),
      .trip_flags = {clock_rate, markets},
      .location_flags = {clock_rate},
      .dispatch_flags = {clock_rate, markets},
      .gateway_flags = {clock_rate, fmt::format("--web={}", absl::GetFlag(FLAGS_web))},
      .gateway = true,
      .data = absl::GetFlag(FLAGS_data),
      .insecure = absl::GetFlag(FLAGS_insecure),
      .authority = absl::GetFlag(FLAGS_authority)};
  if (absl::GetFlag(FLAGS_fixed_ports)) {
    int port = 7000;
    for (auto* flags : {&options.gateway_flags, &options.trip_flags, &options.location_flags,
                        &options.dispatch_flags}) {
      const auto ports = PortFlags(port++);
      flags->insert(flags->end(), ports.begin(), ports.end());
    }
  }
  return options;
}

/// Null where none is asked for.
absl::StatusOr<std::unique_ptr<process::Door>> OpenDoor(const process::LocalServices& services) {
  const std::string config = absl::GetFlag(FLAGS_door);
  if (config.empty()) return nullptr;
  const bool fixed = absl::GetFlag(FLAGS_fixed_ports);
  return process::Door::Start({.config = config,
                               .trip = services.trip(),
                               .dispatch = services.dispatch(),
                               .folder = services.folder(),
                               .authority = services.authority(),
                               .port = static_cast<std::uint16_t>(fixed ? 7443 : 0),
                               // The whole city comes from one address.
                               .max_requests = 20'000,
                               .max_connections = 2'000});
}

void PrintAddresses(const process::LocalServices& services, const process::Door* door) {
  for (const std::string& name : services.names()) {
    const std::string metrics = services.metrics(name);
    fmt::print("{:<9} {}{}\n", name, services.process(name).Announced("address"),
               metrics.empty() ? "" : fmt::format("  metrics http://{}/metrics", metrics));
  }
  if (door != nullptr) fmt::print("{:<9} {}\n", "door", door->address());
  fmt::print("running until Ctrl-C; the logs are {}/*.log\n", services.folder());
  std::fflush(stdout);
}

void OpenBrowser(const std::string& url) {
  auto browser = process::ChildProcess::Start({.binary = "xdg-open", .arguments = {url}});
  if (!browser.ok() || (*browser)->Stop(0) != 0) {
    fmt::print(stderr, "no browser could be opened; the page is {}\n", url);
  }
}

/// Exit status, or why the services failed. `door` and `profile` may be null.
absl::StatusOr<int> RunBeside(process::LocalServices& services, const process::Door* door,
                              const RideProfile* profile, const std::vector<std::string>& command) {
  const std::string url = services.page();
  fmt::print(stderr, "the city is at {}\n", url);
  if (command.empty()) PrintAddresses(services, door);
  if (absl::GetFlag(FLAGS_open)) OpenBrowser(url);
  using Environment = std::map<std::string, std::string>;
  auto exit_status = Supervise(services, door, command,
                               profile == nullptr ? Environment() : profile->LoadEnvironment());
  const absl::Status stopped = services.Stop();
  if (!exit_status.ok()) return exit_status.status();
  if (!stopped.ok()) return stopped;
  if (profile != nullptr) {
    const absl::StatusOr<std::string> ride = profile->Describe();
    if (!ride.ok()) return ride.status();
    fmt::print("\n{}", *ride);
  }
  return exit_status;
}

using OwnServer = std::unique_ptr<postgres::testing::PostgresServer>;

/// Tells trip where the trips are. Returns the server that was started for it, if one was.
absl::StatusOr<OwnServer> ChooseStore(process::LocalServices::Options& options) {
  OwnServer server;
  const std::string store = absl::GetFlag(FLAGS_store);
  std::string url = absl::GetFlag(FLAGS_postgres);
  if (store != "sqlite" && store != "postgres") {
    return absl::InvalidArgumentError(fmt::format("--store={}: must be sqlite or postgres", store));
  }
  if (store == "sqlite" && !url.empty()) {
    return absl::InvalidArgumentError(
        "--store=sqlite: doesn't use the database of --postgres; add --store=postgres");
  }
  if (store == "postgres" && url.empty()) {
    if (!options.data.empty()) {
      return absl::InvalidArgumentError(
          "--postgres=: with --data, name the database that keeps the trips");
    }
    auto started = postgres::testing::PostgresServer::Start({.fsync = true});
    if (!started.ok()) return started.status();
    server = *std::move(started);
    url = server->Url();
    fmt::print(stderr, "PostgreSQL runs in {}\n", server->folder());
  }
  // Not as flags, since everybody may read those of a process and the URL may hold a password.
  options.environment["trip"] = {{"RIDESTREAM_STORE", store}, {"RIDESTREAM_POSTGRES", url}};
  return server;
}

void PrintLogEnds(const std::string& folder) {
  for (const char* name : {"trip", "location", "dispatch", "gateway", "door"}) {
    const std::string end = process::LastBytesOf(fmt::format("{}/{}.log", folder, name));
    if (!end.empty()) fmt::print(stderr, "the end of {}'s log:\n{}\n", name, end);
  }
}

int Run(const std::vector<std::string>& command) {
  process::LocalServices::Options options = ServicesFromFlags();
  const absl::StatusOr<OwnServer> server = ChooseStore(options);  // Ends after the services.
  if (!server.ok()) return service::PrintFailure(server.status());
  std::unique_ptr<RideProfile> profile;  // Ends after the services as well.
  if (absl::GetFlag(FLAGS_profile_one_ride)) {
    if (command.empty()) {
      return service::PrintFailure(absl::InvalidArgumentError(
          "--profile_one_ride: needs a command that makes requests; add -- COMMAND"));
    }
    auto started = RideProfile::Start();
    if (!started.ok()) return service::PrintFailure(started.status());
    profile = *std::move(started);
    profile->AddFlags(options);
  }
  auto services = process::LocalServices::Start(options);
  if (!services.ok()) return service::PrintFailure(services.status());
  const auto door = OpenDoor(**services);
  if (!door.ok()) return service::PrintFailure(door.status());
  const auto exit_status = RunBeside(**services, door->get(), profile.get(), command);
  if (exit_status.ok() && *exit_status == 0) return 0;
  (*services)->KeepFolder();
  if (!exit_status.ok()) {
    service::PrintFailure(exit_status.status());
    PrintLogEnds((*services)->folder());
  }
  fmt::print(stderr, "the logs{} are kept in {}\n",
             absl::GetFlag(FLAGS_data).empty() ? " and trips" : "", (*services)->folder());
  return exit_status.ok() ? *exit_status : 1;
}

}  // namespace
}  // namespace ridestream::supervisor

int main(int argc, char** argv) {
  ridestream::supervisor::BlockSignals();
  const std::vector<std::string> command = ridestream::service::InitializeWithArguments(
      argc, argv, "supervisor", ridestream::supervisor::kUsage);
  return ridestream::supervisor::Run(command);
}
