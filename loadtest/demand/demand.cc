#include "loadtest/demand/demand.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "loadtest/demand/csv_file.h"

namespace ridestream::loadtest {
namespace {

constexpr double kMinTripM = 500;
constexpr int kTries = 16;

class GeneratedDemand final : public Demand {
 public:
  GeneratedDemand(const roads::RoadGraph& graph, double per_hour, std::uint64_t seed)
      : graph_(graph),
        mean_(static_cast<Duration::rep>(3600e6 / per_hour)),
        random_(seed),
        places_(seed) {}

  std::optional<Request> Next() override {
    due_ += random_.Exponential(mean_);
    Request request{due_, roads::RandomPointOnStreet(graph_, places_), {}, PartySize()};
    for (int i = 0; i < kTries; ++i) {
      request.dropoff = roads::RandomPointOnStreet(graph_, places_);
      if (FastDistanceM(request.pickup, request.dropoff) >= kMinTripM) break;
    }
    return request;
  }

 private:
  std::uint32_t PartySize() {
    const double draw = random_.Unit();
    return draw < 0.75 ? 1 : draw < 0.90 ? 2 : draw < 0.97 ? 3 : 4;
  }

  const roads::RoadGraph& graph_;
  const Duration mean_;
  Duration due_{};
  Random random_;
  std::mt19937_64 places_;
};

class ReplayedDemand final : public Demand {
 public:
  explicit ReplayedDemand(std::vector<Request> requests) : requests_(std::move(requests)) {}
  std::optional<Request> Next() override {
    return next_ == requests_.size() ? std::nullopt : std::optional(requests_[next_++]);
  }

 private:
  const std::vector<Request> requests_;
  size_t next_ = 0;
};

absl::StatusOr<LatLng> Place(const CsvRow& row, size_t lat_column, size_t lng_column) {
  const auto lat = row.Number(lat_column, -90, 90);
  if (!lat.ok()) return lat.status();
  const auto lng = row.Number(lng_column, -180, 180);
  if (!lng.ok()) return lng.status();
  return LatLng::FromDegrees(*lat, *lng);
}

absl::StatusOr<Request> ToRequest(const CsvRow& row) {
  constexpr double kLongestS = 7 * 86'400.0;
  const auto due_s = row.Number(0, 0, kLongestS);
  if (!due_s.ok()) return due_s.status();
  const auto pickup = Place(row, 1, 2);
  if (!pickup.ok()) return pickup.status();
  const auto dropoff = Place(row, 3, 4);
  if (!dropoff.ok()) return dropoff.status();
  const auto riders = row.WholeNumber(5, 1, 8);
  if (!riders.ok()) return riders.status();
  return Request{std::chrono::duration_cast<Duration>(std::chrono::duration<double>(*due_s)),
                 *pickup, *dropoff, static_cast<std::uint32_t>(*riders)};
}

}  // namespace

std::unique_ptr<Demand> GenerateDemand(const roads::RoadGraph& graph, double per_hour,
                                       std::uint64_t seed) {
  return std::make_unique<GeneratedDemand>(graph, per_hour, seed);
}

absl::StatusOr<std::unique_ptr<Demand>> ReplayDemand(const std::string& file) {
  std::vector<Request> requests;
  const absl::Status read = ReadCsvFile(
      file, {"requested_at_s", "pickup_lat", "pickup_lng", "dropoff_lat", "dropoff_lng", "riders"},
      [&](const CsvRow& row) {
        auto request = ToRequest(row);
        if (request.ok()) requests.push_back(*request);
        return request.status();
      });
  if (!read.ok()) return read;
  std::stable_sort(requests.begin(), requests.end(),
                   [](const Request& a, const Request& b) { return a.due < b.due; });
  return std::make_unique<ReplayedDemand>(std::move(requests));
}

std::vector<FleetPlace> GenerateFleet(const roads::RoadGraph& graph, size_t drivers,
                                      std::uint64_t seed) {
  std::mt19937_64 places(seed);
  Random random(seed);
  std::vector<FleetPlace> fleet(drivers);
  for (FleetPlace& car : fleet) {
    car = {roads::RandomPointOnStreet(graph, places), random.Chance(0.9) ? 4U : 6U};
  }
  return fleet;
}

absl::StatusOr<std::vector<FleetPlace>> ReadFleet(const std::string& file, size_t drivers) {
  std::vector<FleetPlace> fleet;
  const absl::Status read = ReadCsvFile(file, {"lat", "lng", "seats"}, [&](const CsvRow& row) {
    const auto place = Place(row, 0, 1);
    if (!place.ok()) return place.status();
    const auto seats = row.WholeNumber(2, 1, 8);
    if (!seats.ok()) return seats.status();
    if (fleet.size() < drivers) fleet.push_back({*place, static_cast<std::uint32_t>(*seats)});
    return absl::OkStatus();
  });
  if (!read.ok()) return read;
  if (fleet.size() < drivers) {
    return absl::OutOfRangeError(
        fmt::format("{}: has {} drivers, --drivers asks for {}", file, fleet.size(), drivers));
  }
  return fleet;
}

}  // namespace ridestream::loadtest
