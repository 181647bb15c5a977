#include "tests/bench/stream/push_latency.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <functional>
#include <iostream>
#include <memory>
#include <thread>
#include <utility>

#include "libs/base/clock.h"
#include "libs/base/mutex.h"
#include "libs/process/local_services.h"
#include "libs/proto_values/proto_values.h"
#include "libs/rpc/caller.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/development_security.h"
#include "loadtest/report/histogram.h"
#include "ridestream/trip/v1/trip.grpc.pb.h"
#include "tests/bench/stream/flood.h"

namespace ridestream::bench {
namespace {

using process::LocalServices;
using SteadyClock = std::chrono::steady_clock;

/// Ping-pong on one stream without other load.
loadtest::Histogram BareRoundTrips(const std::string& address, const std::vector<LatLng>& places) {
  Mutex mu;
  CondVar changed;
  int pongs = 0;
  Fleet fleet(address, 1, 1, places, [&](const dispatch::v1::DriveResponse& response) {
    if (!response.has_heartbeat()) return;
    MutexLock lock(mu);
    ++pongs;
    changed.Signal();
  });
  loadtest::Histogram micros;
  dispatch::v1::DriveRequest ping;
  ping.mutable_ack();
  for (int i = 0; i < 5'000; ++i) {
    const auto start = SteadyClock::now();
    fleet.drivers().front().Send(ping);
    MutexLock lock(mu);
    while (pongs <= i) changed.Wait(mu);
    micros.Add(
        std::chrono::duration_cast<std::chrono::microseconds>(SteadyClock::now() - start).count());
  }
  return micros;
}

/// Requests rides continuously, so that dispatch makes offers; every driver declines, and the next
/// one is offered the trip. Each trip is cancelled after about `offers` offers.
class Riders {
 public:
  Riders(const std::string& trip, const std::vector<LatLng>& places)
      : stub_(trip::v1::TripService::NewStub(rpc::MakeChannel(trip))), places_(places) {}

  void Ride() {
    // A repeated request would be answered with the trip of the first.
    static std::atomic<int> last = 0;
    const int number = ++last;
    const std::string rider = fmt::format("bench-rider-{}", number);
    trip::v1::QuoteTripRequest quote_request;
    trip::v1::QuoteTripResponse quote;
    const LatLng from = places_[static_cast<std::size_t>(number * 7) % places_.size()];
    const LatLng to = places_[static_cast<std::size_t>(number * 7 + 3) % places_.size()];
    quote_request.set_market(kMarket);
    quote_request.set_party_size(1);
    *quote_request.mutable_pickup() = ToProto(from);
    *quote_request.mutable_dropoff() = ToProto(to);
    trip::v1::RequestTripRequest request;
    trip::v1::RequestTripResponse requested;
    if (!Call(rider, [&](auto* c) { return stub_->QuoteTrip(c, quote_request, &quote); })) return;
    request.set_request_id(rider);
    request.set_quote_id(quote.quote_id());
    if (!Call(rider, [&](auto* c) { return stub_->RequestTrip(c, request, &requested); })) return;
    open_.push_back({rider, requested.trip().trip_id()});
    // Few riders wait at a time, so that each offer is decided on its own. In a round of many,
    // pushes would be sent one after another.
    if (open_.size() > 3) CancelOldest();
  }
  /// One every 100 ms, until `stopped`.
  void RideUntil(const std::function<bool()>& stopped) {
    const auto start = SteadyClock::now();
    for (int i = 0; !stopped(); ++i) {
      Ride();
      std::this_thread::sleep_until(start + (i + 1) * std::chrono::milliseconds(100));
    }
    CancelAll();
  }
  void CancelAll() {
    while (!open_.empty()) CancelOldest();
  }

 private:
  void CancelOldest() {
    const auto [rider, trip] = open_.front();
    open_.pop_front();
    trip::v1::CancelTripRequest request;
    trip::v1::CancelTripResponse response;
    request.set_request_id(rider + "-cancel");
    request.set_trip_id(trip);
    request.set_reason(trip::v1::CANCEL_REASON_CHANGED_MIND);
    Call(rider, [&](auto* c) { return stub_->CancelTrip(c, request, &response); });
  }
  template <class Rpc>
  bool Call(const std::string& rider, Rpc rpc) {
    grpc::ClientContext context;
    rpc::SetCaller(context, {rpc::CallerKind::kRider, rider});
    rpc::SetTimeout(context, std::chrono::seconds(5));
    const grpc::Status status = rpc(&context);
    if (!status.ok()) std::cerr << "rider's call failed: " << status.error_message() << "\n";
    return status.ok();
  }

  std::unique_ptr<trip::v1::TripService::Stub> stub_;
  const std::vector<LatLng>& places_;
  std::deque<std::pair<std::string, std::string>> open_;
};

struct Pushed {
  loadtest::Histogram micros;
  std::size_t dispatch_bytes = 0;
};

/// Latencies from dispatch's decision to the driver, with this many connected drivers who report
/// every 4 s.
absl::StatusOr<Pushed> Pushes(const LocalServices& system, int drivers,
                              const std::vector<LatLng>& places, std::chrono::seconds length) {
  Pushed result;
  Mutex mu;
  std::atomic<bool> measuring = false;
  const ScaledClock clock;
  Fleet fleet(system.dispatch(), drivers, 8, places,
              [&](const dispatch::v1::DriveResponse& response) {
                if (!response.has_offer() || !measuring) return;
                const Time decided = FromProto(response.offer().decided_at());
                MutexLock lock(mu);
                result.micros.Add((clock.Now() - decided).count());
              });
  std::atomic<bool> stop = false;
  std::thread reporter([&] {
    // Spread evenly over the 4 s, as a fleet's reports are.
    const auto start = SteadyClock::now();
    for (std::int64_t sent = 0; !stop; ++sent) {
      std::this_thread::sleep_until(start + sent * std::chrono::microseconds(4'000'000) / drivers);
      fleet.drivers()[static_cast<std::size_t>(sent % drivers)].Report();
    }
  });
  Riders riders(system.trip(), places);
  std::this_thread::sleep_for(std::chrono::seconds(5));  // Every driver has reported once.
  result.dispatch_bytes = *system.process("dispatch").ResidentBytes();
  measuring = true;
  const auto end = SteadyClock::now() + length;
  riders.RideUntil([&] {
    if (SteadyClock::now() < end) return false;
    measuring = false;
    return true;
  });
  stop = true;
  reporter.join();
  fleet.Stop();
  MutexLock lock(mu);
  return result;
}

/// The same with services of their own.
absl::StatusOr<Pushed> Pushes(const std::string& bin, int drivers,
                              const std::vector<LatLng>& places, std::chrono::seconds length,
                              bool insecure = true) {
  auto system = LocalServices::Start({.bin = bin, .insecure = insecure});
  if (!system.ok()) return system.status();
  const absl::Status secured = rpc::UseDevelopmentAuthority((*system)->authority());
  if (!secured.ok()) return secured;
  return Pushes(**system, drivers, places, length);
}

/// Resident bytes of a bare server with this many streams after their Hello.
absl::StatusOr<std::size_t> BareBytes(const std::string& self, int streams,
                                      const std::vector<LatLng>& places) {
  auto server = StartBareServer(self);
  if (!server.ok()) return server.status();
  const auto address = (*server)->WaitUntilServing();
  if (!address.ok()) return address.status();
  const auto empty = (*server)->ResidentBytes();
  Fleet fleet(*address, streams, 8, places);
  for (BenchDriver& driver : fleet.drivers()) driver.Report();
  const auto full = (*server)->ResidentBytes();
  if (!empty.ok() || !full.ok()) return absl::InternalError("the bare server's memory is unknown");
  return *full - std::min(*full, *empty);
}

absl::Status MeasureBareRoundTrips(const std::string& self, const std::vector<LatLng>& places,
                                   nlohmann::json& figures) {
  const auto bare = StartBareServer(self);
  if (!bare.ok()) return bare.status();
  const auto address = (*bare)->WaitUntilServing();
  if (!address.ok()) return address.status();
  const loadtest::Histogram round_trips = BareRoundTrips(*address, places);
  figures["push.bare_rtt_us.p50"] = round_trips.Quantile(0.5);
  figures["push.bare_rtt_us.p99"] = round_trips.Quantile(0.99);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<double> MeasurePush(const std::string& bin, bool insecure,
                                   const std::vector<LatLng>& places, std::chrono::seconds length) {
  const auto pushed = Pushes(bin, 200, places, length, insecure);
  if (!pushed.ok()) return pushed.status();
  return static_cast<double>(pushed->micros.Quantile(0.5));
}

absl::Status MeasurePushes(const std::string& self, const std::string& bin,
                           const std::vector<LatLng>& places, std::chrono::seconds length,
                           nlohmann::json& figures) {
  const auto bare_status = MeasureBareRoundTrips(self, places, figures);
  if (!bare_status.ok()) return bare_status;
  std::size_t bytes_200 = 0;
  for (const int drivers : {200, 5'000}) {
    Print(fmt::format("offers to {} drivers …", drivers));
    const auto pushed = Pushes(bin, drivers, places, length);
    if (!pushed.ok()) return pushed.status();
    const std::string key = fmt::format("push.d{}_us", drivers);
    figures[key + ".p50"] = pushed->micros.Quantile(0.5);
    figures[key + ".p99"] = pushed->micros.Quantile(0.99);
    figures[key + ".count"] = pushed->micros.count();
    if (drivers == 200) {
      bytes_200 = pushed->dispatch_bytes;
      continue;
    }
    const auto bare_200 = BareBytes(self, 200, places);
    const auto bare_5000 = BareBytes(self, 5'000, places);
    if (!bare_200.ok()) return bare_200.status();
    if (!bare_5000.ok()) return bare_5000.status();
    const double ours =
        static_cast<double>(pushed->dispatch_bytes) - static_cast<double>(bytes_200);
    const double bare = static_cast<double>(*bare_5000) - static_cast<double>(*bare_200);
    figures["memory.kb_per_driver"] = (ours - bare) / (5'000 - 200) / 1'000;
    figures["memory.bare_kb_per_stream"] = bare / (5'000 - 200) / 1'000;
  }
  return absl::OkStatus();
}

absl::StatusOr<PushTimes> MeasurePushes(const LocalServices& system,
                                        const std::vector<LatLng>& places,
                                        std::chrono::seconds length) {
  const auto pushed = Pushes(system, 200, places, length);
  if (!pushed.ok()) return pushed.status();
  if (pushed->micros.count() == 0) return absl::UnavailableError("no offer was pushed");
  return PushTimes{static_cast<double>(pushed->micros.Quantile(0.5)),
                   static_cast<double>(pushed->micros.Quantile(0.99))};
}

Flooded FloodWithRides(const LocalServices& system, const std::vector<LatLng>& places,
                       std::chrono::seconds length) {
  std::atomic<bool> stop = false;
  std::thread rides([&] { Riders(system.trip(), places).RideUntil([&] { return stop.load(); }); });
  const Flooded flooded = FloodOurs(system, places, length);
  stop = true;
  rides.join();
  return flooded;
}

}  // namespace ridestream::bench
