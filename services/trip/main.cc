// The trip service: flags, wiring, and the end.

#include <fmt/format.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "libs/peer_clock/clock_service.h"
#include "libs/proto_values/proto_values.h"
#include "libs/rpc/caller.h"
#include "libs/rpc/limiting_authenticator.h"
#include "libs/rpc/server.h"
#include "libs/rpc/server_flags.h"
#include "libs/service/flag_range.h"
#include "libs/service/markets.h"
#include "libs/service/service.h"
#include "libs/service/streets.h"
#include "services/trip/domain/fare.h"
#include "services/trip/event_lines.h"
#include "services/trip/rpc/trip_feed.h"
#include "services/trip/rpc/trip_service.h"
#include "services/trip/store_choice.h"
#include "services/trip/streets/market_service.h"
#include "services/trip/streets/streets_router.h"
#include "services/trip/trip_metrics.h"

ABSL_FLAG(std::string, listen, "127.0.0.1:7001", "host:port to serve on; port 0 takes a free one");
ABSL_FLAG(std::string, metrics_listen, "127.0.0.1:7101",
          "host:port to serve Prometheus metrics on; port 0 takes a free one, off serves none");
ABSL_FLAG(
    std::string, markets, "city=city:1",
    "Markets served here and their streets: NAME=STREETS[,…], where STREETS is city:SEED (the "
    "built-in city) or the path of an OSM extract");
ABSL_FLAG(std::string, roads_cache, "",
          "Folder in which prepared streets are kept from one start to the next; empty: none");
ABSL_FLAG(std::string, currency, "USD", "ISO 4217 code of all fares");
ABSL_FLAG(int64_t, base_fare_minor, 250, "What every ride costs, in the currency's minor unit");
ABSL_FLAG(int64_t, per_km_minor, 175, "What a kilometre costs, in the currency's minor unit");
ABSL_FLAG(int64_t, per_minute_minor, 35, "What a minute costs, in the currency's minor unit");
ABSL_FLAG(int64_t, no_show_fee_minor, 500,
          "What a rider owes who doesn't come to the pick-up, in the currency's minor unit");
ABSL_FLAG(
    absl::Duration, no_show_after, absl::Minutes(5),
    "How long a driver must have waited at the pick-up for that fee, by the city's clock (0 to "
    "1h); a driver who gives up earlier ends the trip as well, without a fee");
ABSL_FLAG(uint32_t, shared_discount_percent, 25,
          "What a rider who shares is spared, in percent of the fare (0 to 100)");
ABSL_FLAG(absl::Duration, shared_pickup_within, absl::Minutes(8),
          "Riders who share are promised a pick-up within so long of their request");
ABSL_FLAG(uint32_t, shared_detour_percent, 50,
          "…and a ride that is longer than the direct one by at most so many percent,");
ABSL_FLAG(absl::Duration, shared_min_detour, absl::Minutes(4), "or by so long, if that is more");
ABSL_FLAG(absl::Duration, quote_lifetime, absl::Minutes(5),
          "How long a quote's price is kept, by the city's clock (1s to 24h)");
ABSL_FLAG(uint32_t, reader_threads, 2, "Threads that read trips from the disk (1 to 64)");
ABSL_FLAG(uint32_t, router_threads, 2, "Threads that search ways for quotes (1 to 64)");
ABSL_FLAG(absl::Duration, drain_grace, absl::Seconds(5),
          "How long calls under way may last after SIGTERM (0 to 1h)");

namespace ridestream::trip {
namespace {

constexpr char kUsage[] =
    "The trip service of Ridestream: quotes, requests and their whole life, durable in SQLite or\n"
    "PostgreSQL.\n"
    "  trip --data /var/lib/ridestream/trip --markets manhattan=maps/manhattan.osm.pbf\n"
    "Every flag can be given as an environment variable, e.g. RIDESTREAM_DATA=/data.";

using Routers = std::map<std::string, std::unique_ptr<StreetsRouter>>;

absl::StatusOr<Routers> LoadMarkets(const std::string& flag) {
  const auto specs = service::ParseMarkets(flag);
  if (!specs.ok()) return specs.status();
  Routers routers;
  for (const service::MarketSpec& spec : *specs) {
    absl::StatusOr<std::unique_ptr<roads::Streets>> streets =
        service::LoadStreets(spec, absl::GetFlag(FLAGS_roads_cache));
    if (!streets.ok()) return streets.status();
    routers.emplace(spec.market.str(), std::make_unique<StreetsRouter>(*std::move(streets)));
  }
  return routers;
}

absl::StatusOr<v1::Tariff> TariffFromFlags() {
  v1::Tariff tariff;
  tariff.set_currency_code(absl::GetFlag(FLAGS_currency));
  tariff.set_base_minor(absl::GetFlag(FLAGS_base_fare_minor));
  tariff.set_per_km_minor(absl::GetFlag(FLAGS_per_km_minor));
  tariff.set_per_minute_minor(absl::GetFlag(FLAGS_per_minute_minor));
  tariff.set_shared_discount_percent(absl::GetFlag(FLAGS_shared_discount_percent));
  tariff.set_no_show_fee_minor(absl::GetFlag(FLAGS_no_show_fee_minor));
  *tariff.mutable_no_show_after() =
      ToProto(absl::ToChronoMilliseconds(absl::GetFlag(FLAGS_no_show_after)));
  if (absl::Status status = ValidateTariff(tariff); !status.ok()) return status;
  return tariff;
}

absl::StatusOr<SharingTerms> SharingTermsFromFlags() {
  const SharingTerms terms{
      .pickup_within = absl::ToChronoMilliseconds(absl::GetFlag(FLAGS_shared_pickup_within)),
      .detour_percent = absl::GetFlag(FLAGS_shared_detour_percent),
      .min_detour = absl::ToChronoMilliseconds(absl::GetFlag(FLAGS_shared_min_detour))};
  if (absl::Status status = ValidateTerms(terms); !status.ok()) return status;
  return terms;
}

absl::Status CheckFlags() {
  using service::CheckRange;
  for (absl::Status status :
       {CheckRange(FLAGS_reader_threads, 1, 64), CheckRange(FLAGS_router_threads, 1, 64),
        CheckRange(FLAGS_quote_lifetime, absl::Seconds(1), absl::Hours(24)),
        CheckRange(FLAGS_no_show_after, absl::ZeroDuration(), absl::Hours(1)),
        CheckRange(FLAGS_drain_grace, absl::ZeroDuration(), absl::Hours(1))}) {
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

std::string MarketNames(const Routers& routers) {
  return absl::StrJoin(routers, ",",
                       [](std::string* out, const auto& market) { out->append(market.first); });
}

std::map<std::string, const roads::Streets*> StreetsOf(const Routers& routers) {
  std::map<std::string, const roads::Streets*> markets;
  for (const auto& [name, router] : routers) markets.emplace(name, &router->streets());
  return markets;
}

absl::Status Run() {
  if (absl::Status status = CheckFlags(); !status.ok()) return status;
  const absl::StatusOr<v1::Tariff> tariff = TariffFromFlags();
  if (!tariff.ok()) return tariff.status();
  const absl::StatusOr<SharingTerms> sharing = SharingTermsFromFlags();
  if (!sharing.ok()) return sharing.status();
  const absl::StatusOr<Routers> routers = LoadMarkets(absl::GetFlag(FLAGS_markets));
  if (!routers.ok()) return routers.status();

  metrics::ServiceMetrics metrics(
      "trip", {"ridestream.trip.v1.TripService", "ridestream.market.v1.MarketService"},
      absl::GetFlag(FLAGS_metrics_listen));
  StoreMeter meter(metrics.registry());
  const std::shared_ptr<const Clock> clock = service::MakeClock();
  absl::StatusOr<rpc::ServerOptions> server_options = rpc::ServerOptionsFromFlags();
  if (!server_options.ok()) return server_options.status();
  metrics.AddConnections(server_options->connections);
  const rpc::TrustingAuthenticator trusting;
  const rpc::LimitingAuthenticator authenticator(trusting, absl::GetFlag(FLAGS_max_calls_per_s));
  TripFeed feed;
  const absl::StatusOr<ChosenStore> chosen = OpenStoreFromFlags(
      // The pools' threads both read, so that none waits for a connection.
      *clock, absl::GetFlag(FLAGS_reader_threads) + absl::GetFlag(FLAGS_router_threads),
      {.on_events = [&](const std::vector<EventPtr>& events) { feed.Publish(events); },
       .on_written =
           [&](const std::vector<EventPtr>& events) {
             meter.Logged(events);
             for (const EventPtr& event : events) LogEvent(*event);
           },
       .on_commit = [&](size_t commands, auto took) { meter.Committed(commands, took); },
       .on_failure =
           [&](const absl::Status& status, size_t commands) {
             meter.Failed(commands);
             service::Log(service::Level::kError,
                          commands > 0 ? "commit failed" : "the log can't be followed",
                          {{"error", status.ToString()}, {"commands", std::to_string(commands)}});
           }},
      metrics);
  if (!chosen.ok()) return chosen.status();
  TripStore& store = *chosen->store;

  std::map<std::string, const QuoteRouter*> markets;
  for (const auto& [name, router] : *routers) markets.emplace(name, router.get());
  TripService service(
      {.store = store,
       .feed = feed,
       .clock = *clock,
       .authenticator = authenticator,
       .markets = std::move(markets),
       .tariff = *tariff,
       .sharing = *sharing,
       .quote_lifetime = absl::ToChronoMicroseconds(absl::GetFlag(FLAGS_quote_lifetime)),
       .reader_threads = absl::GetFlag(FLAGS_reader_threads),
       .router_threads = absl::GetFlag(FLAGS_router_threads)});
  MarketService market_service(*clock, StreetsOf(*routers));
  ClockService clock_service(*clock, authenticator);
  AddReadings(metrics, store, service);
  AddStreetReadings(metrics, StreetsOf(*routers));
  const auto exporter = metrics.Serve();
  if (!exporter.ok()) return exporter.status();
  const std::string listen = absl::GetFlag(FLAGS_listen);
  server_options->address = listen;
  server_options->services = {&service, &market_service, &clock_service};
  server_options->on_drain = {[&feed] { feed.Close(); }};
  server_options->call_observer = metrics.calls();
  const absl::StatusOr<std::unique_ptr<rpc::Server>> server =
      rpc::Server::Start(*std::move(server_options));
  if (!server.ok()) return server.status();
  (*server)->SetServing(true);
  service::LogServing(fmt::format("{}:{}", listen.substr(0, listen.rfind(':')), (*server)->port()),
                      {{"metrics", (*exporter)->address()},
                       {"markets", MarketNames(*routers)},
                       {"data", chosen->place},
                       {"log_end", std::to_string(store.LastSequence())},
                       {"authentication", authenticator.description()}});

  const std::string_view signal = service::WaitForStopSignal();
  service::Log(service::Level::kInfo, "draining", {{"signal", std::string(signal)}});
  (*server)->Drain(absl::ToChronoMilliseconds(absl::GetFlag(FLAGS_drain_grace)));
  service::Log(service::Level::kInfo, "stopped");
  return absl::OkStatus();
}

}  // namespace
}  // namespace ridestream::trip

int main(int argc, char** argv) {
  ridestream::service::Initialize(argc, argv, "trip", ridestream::trip::kUsage);
  const absl::Status status = ridestream::trip::Run();
  return status.ok() ? 0 : ridestream::service::Fail(status);
}
