// Turns flags into the options of a TripServer, and runs it until a signal comes.

#include <fmt/format.h>

#include <string>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/proto_values/proto_values.h"
#include "libs/rpc/security_flags.h"
#include "libs/rpc/server_flags.h"
#include "libs/service/flag_range.h"
#include "libs/service/service.h"
#include "libs/service/streets.h"
#include "services/trip/domain/fare.h"
#include "services/trip/domain/promise.h"
#include "services/trip/trip_server.h"

ABSL_FLAG(std::string, listen, "127.0.0.1:7001", "host:port to serve on; port 0 takes a free one");
ABSL_FLAG(std::string, metrics_listen, "127.0.0.1:7101",
          "host:port to serve Prometheus metrics on; port 0 takes a free one, off serves none");
ABSL_FLAG(std::string, data, "./data",
          "With --store=sqlite, the folder that holds the trips (trips.db). Made where it is "
          "missing; one process at a time may have it.");
ABSL_FLAG(std::string, store, "sqlite",
          "Where trips are kept: sqlite (the folder --data), or postgres (the database --postgres, "
          "which several trip processes may share)");
ABSL_FLAG(std::string, postgres, "",
          "With --store=postgres, the database: postgresql://USER@HOST[,HOST…]/NAME?… or "
          "key=value pairs, as libpq takes them. A password is better given in the environment "
          "(RIDESTREAM_POSTGRES, PGPASSWORD) than here.");
ABSL_FLAG(std::string, currency, "USD", "ISO 4217 code of all fares");
RIDESTREAM_RANGED_FLAG(int64_t, base_fare_minor, 250,
                       "What every ride costs, in the currency's minor unit", 0,
                       ridestream::trip::kMaxRateMinor);
RIDESTREAM_RANGED_FLAG(int64_t, per_km_minor, 175,
                       "What a kilometre costs, in the currency's minor unit", 0,
                       ridestream::trip::kMaxRateMinor);
RIDESTREAM_RANGED_FLAG(int64_t, per_minute_minor, 35,
                       "What a minute costs, in the currency's minor unit", 0,
                       ridestream::trip::kMaxRateMinor);
RIDESTREAM_RANGED_FLAG(
    int64_t, no_show_fee_minor, 500,
    "What a rider owes who doesn't come to the pick-up, in the currency's minor unit", 0,
    ridestream::trip::kMaxRateMinor);
RIDESTREAM_RANGED_FLAG(
    absl::Duration, no_show_after, absl::Minutes(5),
    "How long a driver must have waited at the pick-up for that fee, by the city's clock; a driver "
    "who gives up earlier ends the trip as well, without a fee",
    absl::ZeroDuration(), absl::FromChrono(ridestream::trip::kMaxNoShowWait));
RIDESTREAM_RANGED_FLAG(uint32_t, shared_discount_percent, 25,
                       "What a rider who shares is spared, in percent of the fare", 0, 100);
RIDESTREAM_RANGED_FLAG(absl::Duration, shared_pickup_within, absl::Minutes(8),
                       "Riders who share are promised a pick-up within so long of their request",
                       absl::ZeroDuration(), absl::FromChrono(ridestream::trip::kLongestTerm));
RIDESTREAM_RANGED_FLAG(uint32_t, shared_detour_percent, 50,
                       "…and a ride that is longer than the direct one by at most so many percent,",
                       0, ridestream::trip::kMaxDetourPercent);
RIDESTREAM_RANGED_FLAG(absl::Duration, shared_min_detour, absl::Minutes(4),
                       "or by so long, if that is more", absl::ZeroDuration(),
                       absl::FromChrono(ridestream::trip::kLongestTerm));
RIDESTREAM_RANGED_FLAG(absl::Duration, quote_lifetime, absl::Minutes(5),
                       "How long a quote's price is kept, by the city's clock", absl::Seconds(1),
                       absl::Hours(24));
RIDESTREAM_RANGED_FLAG(uint32_t, reader_threads, 2, "Threads that read trips from the disk", 1, 64);
RIDESTREAM_RANGED_FLAG(uint32_t, router_threads, 2, "Threads that search ways for quotes", 1, 64);
RIDESTREAM_RANGED_FLAG(absl::Duration, drain_grace, absl::Seconds(5),
                       "How long calls under way may last after SIGTERM", absl::ZeroDuration(),
                       absl::Hours(1));

namespace ridestream::trip {
namespace {

constexpr char kUsage[] =
    "The trip service of Ridestream: quotes, requests and their whole life, durable in SQLite or\n"
    "PostgreSQL.\n"
    "  trip --data /var/lib/ridestream/trip --markets manhattan=maps/manhattan.osm.pbf\n"
    "Every flag can be given as an environment variable, e.g. RIDESTREAM_DATA=/data.";

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

absl::StatusOr<StoreChoice> StoreFromFlags() {
  const std::string store = absl::GetFlag(FLAGS_store);
  if (store == "sqlite") {
    return StoreChoice{.kind = StoreChoice::Kind::kSqlite, .folder = absl::GetFlag(FLAGS_data)};
  }
  if (store != "postgres") {
    return absl::InvalidArgumentError(fmt::format("--store={}: must be sqlite or postgres", store));
  }
  const std::string url = absl::GetFlag(FLAGS_postgres);
  if (url.empty()) {
    return absl::InvalidArgumentError("--postgres=: --store=postgres needs the database's URL");
  }
  return StoreChoice{.kind = StoreChoice::Kind::kPostgres, .postgres = url};
}

absl::StatusOr<TripServer::Options> OptionsFromFlags() {
  auto security = rpc::SecurityOptionsFromFlags(absl::GetFlag(FLAGS_max_calls_per_s));
  if (!security.ok()) return security.status();
  const auto tariff = TariffFromFlags();
  if (!tariff.ok()) return tariff.status();
  const auto sharing = SharingTermsFromFlags();
  if (!sharing.ok()) return sharing.status();
  auto store = StoreFromFlags();
  if (!store.ok()) return store.status();
  auto server = rpc::ServerOptionsFromFlags();
  server.address = absl::GetFlag(FLAGS_listen);
  auto streets = service::LoadStreetsFromFlags();
  if (!streets.ok()) return streets.status();
  return TripServer::Options{
      .server = std::move(server),
      .clock = service::MakeClock(),
      .security = *std::move(security),
      .metrics_listen = absl::GetFlag(FLAGS_metrics_listen),
      .store = *std::move(store),
      .streets = *std::move(streets),
      .tariff = *tariff,
      .sharing = *sharing,
      .quote_lifetime = absl::ToChronoMicroseconds(absl::GetFlag(FLAGS_quote_lifetime)),
      .reader_threads = absl::GetFlag(FLAGS_reader_threads),
      .router_threads = absl::GetFlag(FLAGS_router_threads),
      .drain_grace = absl::ToChronoMilliseconds(absl::GetFlag(FLAGS_drain_grace))};
}

absl::Status Run() {
  auto options = OptionsFromFlags();
  if (!options.ok()) return options.status();
  const std::string markets = service::Describe(options->streets);
  auto server = TripServer::Start(*std::move(options));
  if (!server.ok()) return server.status();
  service::LogServing((*server)->address(), {{"metrics", (*server)->metrics_address()},
                                             {"markets", markets},
                                             {"data", (*server)->store_place()},
                                             {"log_end", std::to_string((*server)->log_end())},
                                             {"authentication", (*server)->authentication()}});

  service::DrainOnStopSignal([&] { (*server)->Drain(); });
  return absl::OkStatus();
}

}  // namespace
}  // namespace ridestream::trip

int main(int argc, char** argv) {
  ridestream::service::Initialize(argc, argv, "trip", ridestream::trip::kUsage);
  const absl::Status status = ridestream::trip::Run();
  return status.ok() ? 0 : ridestream::service::Fail(status);
}
