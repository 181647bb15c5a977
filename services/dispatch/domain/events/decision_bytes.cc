#include "services/dispatch/domain/events/decision_bytes.h"

#include <google/protobuf/message_lite.h>

#include <concepts>
#include <map>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace ridestream::dispatch {
namespace {

/// Values one after the other, strings and lists with their length before them.
class ByteWriter {
 public:
  explicit ByteWriter(std::string& bytes) : bytes_(bytes) {}

  template <class... T>
  void PutAll(const T&... values) {
    (Put(values), ...);
  }

  template <class T>
  requires(std::is_arithmetic_v<T> || std::is_enum_v<T>) void Put(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof(value));
  }
  void Put(const std::string& value) {
    Put(value.size());
    bytes_ += value;
  }
  // None of the messages has a map, whose order would be any.
  template <std::derived_from<google::protobuf::MessageLite> M>
  void Put(const M& message) {
    Put(message.ByteSizeLong());
    message.AppendToString(&bytes_);
  }
  template <class Tag>
  void Put(const Id<Tag>& id) {
    Put(id.str());
  }
  void Put(Duration duration) { Put(duration.count()); }
  void Put(Time time) { Put(time.time_since_epoch()); }
  void Put(LatLng place) { PutAll(place.lat_e7, place.lng_e7); }
  template <class T>
  void Put(const std::vector<T>& list) {
    Put(list.size());
    for (const T& item : list) Put(item);
  }
  template <class K, class V>
  void Put(const std::map<K, V>& map) {
    Put(map.size());
    for (const auto& [key, value] : map) PutAll(key, value);
  }
  template <class T>
  void Put(const std::optional<T>& value) {
    Put(value.has_value());
    if (value) Put(*value);
  }

  void Put(const SharedRide& ride) {
    PutAll(ride.pickup, ride.dropoff, ride.party_size, ride.latest_pickup, ride.latest_dropoff);
  }
  void Put(const CarStop& stop) {
    PutAll(stop.place, stop.riders, stop.arrival, stop.latest, stop.dwell);
  }
  void Put(const RunningCar& car) {
    PutAll(car.place, car.leaves, car.seats, car.aboard, car.stops, car.fixed_stops);
  }
  void Put(const SharedCar& car) {
    PutAll(car.driver, car.plan_revision, car.position, car.places, car.trips, car.car);
  }
  void Put(const FindCandidates::Query& query) {
    PutAll(query.trip, query.pickup, query.party_size, query.radius_m, query.shared, query.price);
  }
  void Put(const FindCandidates::Move& move) { PutAll(move.trip, move.from, move.ride); }
  void Put(const StreetsDriven::Point& point) { PutAll(point.place, point.at); }

  void Put(const SendWelcome& decision) {
    PutAll(decision.driver, decision.epoch, decision.snapshot);
  }
  void Put(const Push& decision) { PutAll(decision.driver, decision.message); }
  void Put(const EndSession& decision) { PutAll(decision.driver, decision.epoch); }
  void Put(const SetAvailability& decision) {
    PutAll(decision.driver, decision.state, decision.free_seats, decision.wants_positions);
  }
  void Put(const FindCandidates& decision) {
    PutAll(decision.round, decision.queries, decision.cars, decision.moves, decision.asked_at,
           decision.pickup_dwell, decision.dropoff_dwell, decision.driving);
  }
  void Put(const FindRoute& decision) {
    PutAll(decision.driver, decision.request, decision.from, decision.stops, decision.track);
  }
  void Put(const TripCommand& decision) {
    PutAll(decision.command, decision.request.index());
    std::visit([this](const auto& request) { Put(request); }, decision.request);
  }
  void Put(const StepJudged& decision) {
    PutAll(decision.driver, decision.trip, decision.to, decision.plausibility, decision.distance_m,
           decision.refused);
  }
  void Put(const ReportProgress& decision) { Put(decision.progress); }
  void Put(const StreetsDriven& decision) { Put(decision.points); }
  void Put(const SetSurge& decision) { Put(decision.cells); }

 private:
  std::string& bytes_;
};

}  // namespace

void AppendBytes(const Decision& decision, std::string& bytes) {
  ByteWriter writer(bytes);
  writer.Put(decision.index());
  std::visit([&](const auto& what) { writer.Put(what); }, decision);
}

}  // namespace ridestream::dispatch
