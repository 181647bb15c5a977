// Turns flags into the options of an ExporterServer, and runs it until a signal comes.

#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/rpc/grpc_library.h"
#include "libs/rpc/security_flags.h"
#include "libs/rpc/server_flags.h"
#include "libs/service/flag_range.h"
#include "libs/service/market_addresses.h"
#include "libs/service/markets.h"
#include "libs/service/service.h"
#include "libs/tracing/trace_flags.h"
#include "services/exporter/exporter_server.h"

ABSL_FLAG(std::string, listen, "127.0.0.1:7004",
          "Address to serve gRPC's health protocol on, HOST:PORT. Port 0 takes a free port");
ABSL_FLAG(std::string, metrics_listen, "127.0.0.1:7104",
          "Address to serve Prometheus metrics on, HOST:PORT. Port 0 takes a free port, off "
          "disables metrics");
ABSL_FLAG(std::string, trip, "127.0.0.1:7001", "Address of the trip service");
ABSL_FLAG(std::string, markets, "city",
          "Markets whose events are exported: NAME[,…]. The form NAME=STREETS of the other "
          "services is accepted, and the streets are ignored");
ABSL_FLAG(std::string, kafka, "127.0.0.1:9092", "Kafka's bootstrap servers: HOST:PORT[,…]");
ABSL_FLAG(std::string, topic, "ridestream.trips",
          "Topic of the events. It must exist, and so must the topic TOPIC.position with one "
          "partition and cleanup.policy=compact");
ABSL_FLAG(std::string, kafka_settings, "",
          "File with further settings of librdkafka, one NAME=VALUE per line, for example "
          "security.protocol=SSL. Empty: none");
ABSL_FLAG(std::string, positions_topic, "",
          "Topic of drivers' positions, which must exist. Empty: positions aren't exported");
RIDESTREAM_RANGED_FLAG(
    absl::Duration, positions_every, absl::Seconds(5),
    "Interval at which a driver's position is exported. An unchanged position isn't exported again",
    absl::Milliseconds(100), absl::Seconds(10));
ABSL_FLAG(std::string, location, "127.0.0.1:7002",
          "With --positions_topic: address of the location service, HOST:PORT. With several "
          "location processes: MARKET=HOST:PORT,MARKET=HOST:PORT, or a pattern such as "
          "location-{market}.example:7002");
RIDESTREAM_RANGED_FLAG(
    absl::Duration, give_up_after, absl::Minutes(5),
    "Wall-clock time after which the process ends if it can't open the topic or write to it",
    absl::Seconds(1), absl::Hours(24));
RIDESTREAM_RANGED_FLAG(absl::Duration, drain_grace, absl::Seconds(5),
                       "After SIGTERM, wall-clock time for calls under way to end",
                       absl::ZeroDuration(), absl::Hours(1));

namespace ridestream::exporter {
namespace {

constexpr char kUsage[] =
    R"(Ridestream's exporter writes the trip log to a Kafka topic, each event once and in order.

It follows the log of the trip service. How far the log was exported is stored in Kafka, so the
exporter stores nothing itself. One exporter writes to a topic: when a second one starts, it takes
the topic over, and the first one ends.

The environment sets flags as well. The command line takes precedence.

  exporter --trip=127.0.0.1:7001 --kafka=127.0.0.1:9092 --markets=city --topic=ridestream.trips
  RIDESTREAM_KAFKA=kafka:9092 exporter
)";

absl::Status CheckFlags() {
  if (absl::GetFlag(FLAGS_topic).empty()) return absl::InvalidArgumentError("--topic: is empty");
  const std::string topic = absl::GetFlag(FLAGS_topic);
  const std::string positions = absl::GetFlag(FLAGS_positions_topic);
  if (positions == topic || positions == topic + ".position") {
    return absl::InvalidArgumentError(
        fmt::format("--positions_topic={}: is the exporter's own for --topic={}; choose another",
                    positions, topic));
  }
  if (absl::GetFlag(FLAGS_kafka).empty()) return absl::InvalidArgumentError("--kafka: is empty");
  return absl::OkStatus();
}

absl::StatusOr<KafkaSettings> SettingsFromFlags() {
  KafkaSettings settings;
  if (const std::string path = absl::GetFlag(FLAGS_kafka_settings); !path.empty()) {
    auto read = ReadSettings(path);
    if (!read.ok()) return read.status();
    settings = *std::move(read);
  }
  if (absl::Status status = KafkaTopic::CheckSettings(settings); !status.ok()) return status;
  settings["bootstrap.servers"] = absl::GetFlag(FLAGS_kafka);
  return settings;
}

/// Nothing without --positions_topic.
absl::StatusOr<std::optional<PositionFlow::Options>> PositionsFromFlags(
    const std::vector<std::string>& markets, const KafkaSettings& settings) {
  if (absl::GetFlag(FLAGS_positions_topic).empty()) return std::nullopt;
  auto location = service::MarketAddresses::Parse("location", absl::GetFlag(FLAGS_location));
  if (!location.ok()) return location.status();
  return PositionFlow::Options{
      .markets = markets,
      .location = *std::move(location),
      .every = absl::ToChronoMilliseconds(absl::GetFlag(FLAGS_positions_every)),
      .topic = {.topic = absl::GetFlag(FLAGS_positions_topic), .settings = settings}};
}

void LogReady(const ExporterServer& server) {
  service::LogServing(server.address(), {{"metrics", server.metrics_address()},
                                         {"markets", absl::GetFlag(FLAGS_markets)},
                                         {"topic", absl::GetFlag(FLAGS_topic)},
                                         {"after", std::to_string(server.position())},
                                         {"grpc", rpc::LoadedGrpc()},
                                         {"authentication", server.authentication()}});
}

absl::StatusOr<ExporterServer::Options> OptionsFromFlags() {
  if (absl::Status status = CheckFlags(); !status.ok()) return status;
  const auto names = service::ParseMarketNames(absl::GetFlag(FLAGS_markets));
  if (!names.ok()) return names.status();
  const std::vector<std::string> markets(names->begin(), names->end());
  auto settings = SettingsFromFlags();
  if (!settings.ok()) return settings.status();
  auto positions = PositionsFromFlags(markets, *settings);
  if (!positions.ok()) return positions.status();
  auto security = rpc::SecurityOptionsFromFlags();
  if (!security.ok()) return security.status();
  auto server = rpc::ServerOptionsFromFlags();
  server.address = absl::GetFlag(FLAGS_listen);
  return ExporterServer::Options{
      .markets = markets,
      .trip = absl::GetFlag(FLAGS_trip),
      .topic = {.topic = absl::GetFlag(FLAGS_topic), .settings = *std::move(settings)},
      .positions = *std::move(positions),
      .give_up_after = absl::ToChronoNanoseconds(absl::GetFlag(FLAGS_give_up_after)),
      .on_ready = LogReady,
      .server = std::move(server),
      .clock = service::MakeClock(),
      .security = *std::move(security),
      .metrics_listen = absl::GetFlag(FLAGS_metrics_listen),
      .drain_grace = absl::ToChronoMilliseconds(absl::GetFlag(FLAGS_drain_grace))};
}

absl::Status Run() {
  const auto traced = tracing::TracedProcess::StartFromFlags("exporter");
  if (!traced.ok()) return traced.status();
  auto options = OptionsFromFlags();
  if (!options.ok()) return options.status();
  const auto server = ExporterServer::Start(*std::move(options));
  if (!server.ok()) return server.status();
  service::DrainOnStopSignal([&] { (*server)->Drain(); });
  return absl::OkStatus();
}

}  // namespace
}  // namespace ridestream::exporter

int main(int argc, char** argv) {
  ridestream::service::Initialize(argc, argv, "exporter", ridestream::exporter::kUsage);
  const absl::Status status = ridestream::exporter::Run();
  return status.ok() ? 0 : ridestream::service::Fail(status);
}
