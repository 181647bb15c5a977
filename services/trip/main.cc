// Turns flags into the options of a TripServer, and runs it until a signal comes.

#include <fmt/format.h>

#include <string>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/proto_values/proto_values.h"
#include "libs/rpc/grpc_library.h"
#include "libs/rpc/security_flags.h"
#include "libs/rpc/server_flags.h"
#include "libs/service/flag_range.h"
#include "libs/service/service.h"
#include "libs/service/streets.h"
#include "libs/tracing/trace_flags.h"
#include "services/trip/domain/fare.h"
#include "services/trip/domain/promise.h"
#include "services/trip/trip_server.h"

ABSL_FLAG(std::string, listen, "127.0.0.1:7001",
          "Address to serve on, HOST:PORT. Port 0 takes a free port");
ABSL_FLAG(std::string, metrics_listen, "127.0.0.1:7101",
          "Address to serve Prometheus metrics on, HOST:PORT. Port 0 takes a free port, off "
          "disables metrics");
ABSL_FLAG(std::string, data, "./data",
          "With --store=sqlite: folder of the database, created if missing. One process at a time "
          "may use it");
ABSL_FLAG(std::string, store, "sqlite",
          "Where trips are stored: sqlite (the folder --data) or postgres (the database "
          "--postgres, which several trip processes may share)");
ABSL_FLAG(std::string, postgres, "",
          "With --store=postgres: the database, as libpq takes it: "
          "postgresql://USER@HOST[,HOST…]/NAME?… or key=value pairs. Give passwords in the "
          "environment (RIDESTREAM_POSTGRES, PGPASSWORD) rather than here");
ABSL_FLAG(std::string, currency, "USD", "ISO 4217 code of the currency of all fares");
RIDESTREAM_RANGED_FLAG(int64_t, base_fare_minor, 250,
                       "Base price of every ride, in the currency's minor unit", 0,
                       ridestream::trip::kMaxRateMinor);
RIDESTREAM_RANGED_FLAG(int64_t, per_km_minor, 175,
                       "Price per kilometre, in the currency's minor unit", 0,
                       ridestream::trip::kMaxRateMinor);
RIDESTREAM_RANGED_FLAG(int64_t, per_minute_minor, 35,
                       "Price per minute, in the currency's minor unit", 0,
                       ridestream::trip::kMaxRateMinor);
RIDESTREAM_RANGED_FLAG(
    int64_t, no_show_fee_minor, 500,
    "Fee for a rider who doesn't come to the pick-up, in the currency's minor unit", 0,
    ridestream::trip::kMaxRateMinor);
RIDESTREAM_RANGED_FLAG(
    absl::Duration, no_show_after, absl::Minutes(5),
    "Time, on the city's clock, that a driver must wait at the pick-up before the no-show fee "
    "applies. A driver who gives up earlier ends the trip without a fee",
    absl::ZeroDuration(), absl::FromChrono(ridestream::trip::kMaxNoShowWait));
RIDESTREAM_RANGED_FLAG(uint32_t, shared_discount_percent, 25,
                       "Discount for a rider who agrees to share, in percent of the fare", 0, 100);
RIDESTREAM_RANGED_FLAG(absl::Duration, shared_pickup_within, absl::Minutes(8),
                       "Promise to riders who share: time from the request to the latest pick-up",
                       absl::ZeroDuration(), absl::FromChrono(ridestream::trip::kLongestTerm));
RIDESTREAM_RANGED_FLAG(uint32_t, shared_detour_percent, 50,
                       "Promise to riders who share: longest detour, in percent of the direct "
                       "ride. --shared_min_detour applies if it is longer",
                       0, ridestream::trip::kMaxDetourPercent);
RIDESTREAM_RANGED_FLAG(absl::Duration, shared_min_detour, absl::Minutes(4),
                       "Promise to riders who share: detour that is always allowed, even if it is "
                       "more than --shared_detour_percent of the direct ride",
                       absl::ZeroDuration(), absl::FromChrono(ridestream::trip::kLongestTerm));
RIDESTREAM_RANGED_FLAG(absl::Duration, quote_lifetime, absl::Minutes(5),
                       "Time for which a quote is valid, on the city's clock", absl::Seconds(1),
                       absl::Hours(24));
RIDESTREAM_RANGED_FLAG(uint32_t, reader_threads, 2, "Threads that read trips from the database", 1,
                       64);
RIDESTREAM_RANGED_FLAG(uint32_t, router_threads, 2, "Threads that compute routes for quotes", 1,
                       64);
RIDESTREAM_RANGED_FLAG(absl::Duration, drain_grace, absl::Seconds(5),
                       "After SIGTERM, wall-clock time for calls under way to end",
                       absl::ZeroDuration(), absl::Hours(1));

namespace ridestream::trip {
namespace {

constexpr char kUsage[] =
    R"(Ridestream's trip service handles quotes, requests and trips. Everything that it answers is durable,
in SQLite or PostgreSQL.

The environment sets flags as well: RIDESTREAM_DATA=/data is --data=/data. The command line takes
precedence.

  trip --data /var/lib/ridestream/trip --markets manhattan=maps/manhattan.osm.pbf)";

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
  const auto traced = tracing::TracedProcess::StartFromFlags("trip");
  if (!traced.ok()) return traced.status();
  auto options = OptionsFromFlags();
  if (!options.ok()) return options.status();
  const std::string markets = service::Describe(options->streets);
  auto server = TripServer::Start(*std::move(options));
  if (!server.ok()) return server.status();
  service::LogServing((*server)->address(), {{"metrics", (*server)->metrics_address()},
                                             {"markets", markets},
                                             {"data", (*server)->store_place()},
                                             {"log_end", std::to_string((*server)->log_end())},
                                             {"grpc", rpc::LoadedGrpc()},
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
