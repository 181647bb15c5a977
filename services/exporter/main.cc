// Wires the exporter: flags, the log, the topic, the thread between them, a server for health.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/time/time.h"
#include "libs/base/timer_queue.h"
#include "libs/base/worker.h"
#include "libs/metrics/service_metrics.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/security.h"
#include "libs/rpc/security_flags.h"
#include "libs/rpc/server.h"
#include "libs/rpc/server_flags.h"
#include "libs/service/flag_range.h"
#include "libs/service/market_addresses.h"
#include "libs/service/markets.h"
#include "libs/service/service.h"
#include "services/exporter/domain/event_queue.h"
#include "services/exporter/domain/exporter.h"
#include "services/exporter/exporter_metrics.h"
#include "services/exporter/kafka/kafka_topic.h"
#include "services/exporter/position_flow.h"
#include "services/exporter/rpc/trip_log.h"

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

/// Null without --positions_topic.
absl::StatusOr<std::unique_ptr<PositionFlow>> StartPositions(
    const std::vector<std::string>& markets, const KafkaSettings& settings,
    const rpc::Security& security, TimerQueue& timers, const Clock& clock) {
  if (absl::GetFlag(FLAGS_positions_topic).empty()) return nullptr;
  auto location = service::MarketAddresses::Parse("location", absl::GetFlag(FLAGS_location));
  if (!location.ok()) return location.status();
  return PositionFlow::Start(
      {.markets = markets,
       .location = *std::move(location),
       .every = absl::ToChronoMilliseconds(absl::GetFlag(FLAGS_positions_every)),
       .topic = {.topic = absl::GetFlag(FLAGS_positions_topic), .settings = settings}},
      security, timers, clock);
}

absl::Status Run() {
  if (absl::Status status = CheckFlags(); !status.ok()) return status;
  const auto names = service::ParseMarketNames(absl::GetFlag(FLAGS_markets));
  if (!names.ok()) return names.status();
  const std::vector<std::string> markets(names->begin(), names->end());
  auto settings = SettingsFromFlags();
  if (!settings.ok()) return settings.status();
  auto security_options = rpc::SecurityOptionsFromFlags();
  if (!security_options.ok()) return security_options.status();
  const auto security = rpc::Security::Start(*std::move(security_options), "exporter");
  if (!security.ok()) return security.status();

  metrics::ServiceMetrics metrics("exporter", {}, absl::GetFlag(FLAGS_metrics_listen));
  const auto clock = service::MakeClock();
  TimerQueue timers;
  const auto trip = trip::v1::TripService::NewStub(rpc::MakeChannel(
      absl::GetFlag(FLAGS_trip),
      {.keepalive = rpc::kInnerKeepalive, .credentials = (*security)->ForChannel("trip")}));
  EventQueue queue;
  TripLog log(markets, *trip, timers, queue);
  const auto positions = StartPositions(markets, *settings, **security, timers, *clock);
  if (!positions.ok()) return positions.status();
  KafkaTopic topic({.topic = absl::GetFlag(FLAGS_topic), .settings = *std::move(settings)});

  auto server_options = rpc::ServerOptionsFromFlags();
  metrics.AddConnections(server_options.connections);
  metrics.AddSecurity(**security);
  server_options.address = absl::GetFlag(FLAGS_listen);
  (*security)->Secure(server_options, {});
  auto server = rpc::Server::Start(std::move(server_options));
  if (!server.ok()) return server.status();
  (*server)->SetServing(false);

  // Ready while events can be written. Called by the export's thread.
  std::function<void()> announce;
  const auto on_change = [&server, &announce](const absl::Status& status) {
    (*server)->SetServing(status.ok());
    if (!status.ok()) {
      service::Log(service::Level::kWarning, "export_interrupted", {{"error", status.ToString()}});
    } else if (announce) {
      std::exchange(announce, nullptr)();
    } else {
      service::Log(service::Level::kInfo, "export_resumed");
    }
  };
  Exporter exporter({.markets = markets,
                     .give_up_after = absl::ToChronoNanoseconds(absl::GetFlag(FLAGS_give_up_after)),
                     .on_change = on_change},
                    topic, log, queue);
  AddReadings(metrics, exporter, queue, *clock);
  AddReadings(metrics, positions->get());
  const auto scraped = metrics.Serve();
  if (!scraped.ok()) return scraped.status();
  announce = [&] {
    service::LogServing((*server)->address(),
                        {{"metrics", (*scraped)->address()},
                         {"markets", fmt::format("{}", fmt::join(markets, ","))},
                         {"topic", absl::GetFlag(FLAGS_topic)},
                         {"after", std::to_string(exporter.counts().position)},
                         {"authentication", (*security)->authenticator().description()}});
  };

  ThreadExecutor executor;
  auto worker = executor.Start([&exporter]() -> std::optional<std::chrono::nanoseconds> {
    const auto pause = exporter.Step(std::chrono::steady_clock::now());
    // The next process begins where this one has come to.
    if (!pause.ok()) service::EndProcess("failed", {{"error", pause.status().ToString()}});
    return *pause;
  });

  service::DrainOnStopSignal([&] {
    worker.reset();
    log.Stop();
    (*server)->Drain(absl::ToChronoMilliseconds(absl::GetFlag(FLAGS_drain_grace)));
  });
  return absl::OkStatus();
}

}  // namespace
}  // namespace ridestream::exporter

int main(int argc, char** argv) {
  ridestream::service::Initialize(argc, argv, "exporter", ridestream::exporter::kUsage);
  const absl::Status status = ridestream::exporter::Run();
  return status.ok() ? 0 : ridestream::service::Fail(status);
}
