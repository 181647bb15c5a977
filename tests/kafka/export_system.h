#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/base/geo.h"
#include "libs/process/child_process.h"
#include "libs/testing/temp_folder.h"
#include "ridestream/location/v1/location.grpc.pb.h"
#include "ridestream/trip/v1/trip.grpc.pb.h"
#include "tests/kafka/kafka_broker.h"

namespace ridestream::kafka_tests {

/// The processes trip and exporter, each of which can be killed and restarted. A failed start fails
/// the test. Not thread-safe.
class ExportSystem {
 public:
  /// Makes this process's calls prove their caller's identity from now on.
  explicit ExportSystem(std::string kafka);

  /// Starts or restarts trip, always at the same address. `data` is the name of its data folder.
  void StartTrip(const std::string& data = "trip", const std::vector<std::string>& flags = {});
  void KillTrip() { trip_.reset(); }
  /// Starts location, and returns its address.
  std::string StartLocation();
  /// Reports these positions to location in the market "city", as dispatch does.
  void ReportPositions(const std::string& location,
                       const std::vector<location::v1::PositionReport>& positions) const;
  /// Starts an exporter, and waits until it serves if `wait`.
  std::unique_ptr<process::ChildProcess> StartExporter(const std::vector<std::string>& flags = {},
                                                       bool wait = true);

  const std::string& trip_address() const { return trip_address_; }
  /// Trip's log: the serialized events by their sequences.
  std::map<std::uint64_t, std::string> ReadLog() const;

 private:
  std::string authority() const { return folder_.File("authority"); }
  /// Starts a service with a certificate. Its log is in the folder.
  absl::StatusOr<std::unique_ptr<process::ChildProcess>> Launch(
      const std::string& name, const std::string& log, const std::vector<std::string>& flags) const;

  const std::string kafka_;
  const testing::TempFolder folder_;
  int exporters_ = 0;
  std::string trip_address_;
  std::unique_ptr<process::ChildProcess> trip_;
  std::unique_ptr<process::ChildProcess> location_;
};

/// Waits until the exporter's metric has at least this value; the test's timeout bounds the wait.
void WaitForMetric(const process::ChildProcess& exporter, const std::string& metric, double value);
/// Waits likewise for the sequence of the last exported event.
void WaitForSequence(const process::ChildProcess& exporter, std::uint64_t sequence);

/// Riders who request and cancel trips, which makes two events per trip. Each call is repeated
/// until it succeeds, even while the service is down.
class TripLoad {
 public:
  /// `pause`: the pause of each rider after a trip.
  TripLoad(const std::string& trip_address, int riders,
           std::chrono::milliseconds pause = std::chrono::milliseconds::zero());
  ~TripLoad() { Stop(); }
  void Stop();
  /// Number of trips that have ended so far.
  int trips() const { return trips_; }

 private:
  void Ride(const std::string& name);

  const std::shared_ptr<grpc::Channel> channel_;
  const std::chrono::milliseconds pause_;
  LatLng places_[2];
  std::atomic<bool> stopping_ = false;
  std::atomic<int> trips_ = 0;
  std::vector<std::thread> riders_;
};

/// A record as kcat reads it.
struct ReadRecord {
  int partition = 0;
  std::string key;
  std::string headers;
  std::string value;
};
/// All committed records of a topic, by partition and offset.
std::vector<ReadRecord> ReadTopic(const std::string& kafka, const std::string& topic);

}  // namespace ridestream::kafka_tests
