// Compares the latency of events by FollowTrips and through Kafka in one run: trip, the exporter
// and a broker are started here, riders make trips at a steady pace, and two consumers record the
// age of each event.

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <thread>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "libs/proto_values/proto_values.h"
#include "libs/rpc/caller.h"
#include "libs/rpc/channel.h"
#include "services/exporter/kafka/handle.h"
#include "tests/kafka/export_system.h"
#include "tests/kafka/kafka_broker.h"

ABSL_FLAG(int, riders, 20, "Number of riders. Each repeats a trip of two events and a pause");
ABSL_FLAG(int, pause_ms, 200, "Pause of a rider after each trip, in milliseconds");
ABSL_FLAG(int, seconds, 20, "Length of the measurement, in seconds, after 3 s of warming up");
ABSL_FLAG(std::string, json, "", "Write the figures to this file, as JSON");

namespace ridestream::kafka_tests {
namespace {

/// Milliseconds from when an event happened until it was received, by sequence.
using Delays = std::map<std::uint64_t, double>;

void Note(const trip::v1::TripEvent& event, Delays& delays) {
  const auto now = std::chrono::floor<Duration>(std::chrono::system_clock::now());
  delays[event.sequence()] =
      std::chrono::duration<double, std::milli>(now - FromProto(event.at())).count();
}

/// Notes events until `context` is cancelled.
void Follow(const std::string& trip_address, grpc::ClientContext& context, Delays& delays) {
  const auto stub = trip::v1::TripService::NewStub(rpc::MakeChannel(trip_address));
  rpc::SetCaller(context, {rpc::CallerKind::kOperator, "test"});
  trip::v1::FollowTripsRequest request;
  request.add_markets("city");
  request.set_after_sequence(0);
  const auto reader = stub->FollowTrips(&context, request);
  for (trip::v1::FollowTripsResponse message; reader->Read(&message);) {
    if (message.has_event()) Note(message.event(), delays);
  }
}

/// Notes the events of the topic until `stop`.
absl::Status Consume(const std::string& kafka, const std::atomic<bool>& stop, Delays& delays) {
  auto client = exporter::MakeClient(RD_KAFKA_CONSUMER, {{"bootstrap.servers", kafka},
                                                         {"group.id", "bench"},
                                                         {"auto.offset.reset", "earliest"},
                                                         {"isolation.level", "read_committed"}});
  if (!client.ok()) return client.status();
  rd_kafka_poll_set_consumer(client->get());
  const exporter::KafkaPtr<rd_kafka_topic_partition_list_t> topics(
      rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(topics.get(), "trips", RD_KAFKA_PARTITION_UA);
  if (const auto error = rd_kafka_subscribe(client->get(), topics.get())) {
    return exporter::ToStatus(error, "subscribing", rd_kafka_err2str(error));
  }
  while (!stop) {
    const exporter::KafkaPtr<rd_kafka_message_t> message(
        rd_kafka_consumer_poll(client->get(), 100));
    if (message == nullptr || message->err != RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    trip::v1::TripEvent event;
    if (!event.ParseFromArray(message->payload, static_cast<int>(message->len))) {
      return absl::InternalError("a record is no TripEvent");
    }
    Note(event, delays);
  }
  rd_kafka_consumer_close(client->get());
  return absl::OkStatus();
}

double Quantile(std::vector<double> values, double q) {
  if (values.empty()) return 0;
  const auto at =
      values.begin() + static_cast<std::ptrdiff_t>(q * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

absl::Status Run() {
  auto broker = KafkaBroker::Start();
  if (!broker.ok()) return broker.status();
  if (absl::Status status = (*broker)->CreateTopics("trips", 4); !status.ok()) return status;
  ExportSystem system((*broker)->address());
  system.StartTrip();
  const auto exporter = system.StartExporter();
  Delays by_stream, by_kafka;
  std::atomic<bool> stop = false;
  absl::Status consumed;
  grpc::ClientContext following;
  std::thread follower([&] { Follow(system.trip_address(), following, by_stream); });
  std::thread consumer([&] { consumed = Consume((*broker)->address(), stop, by_kafka); });
  TripLoad load(system.trip_address(), absl::GetFlag(FLAGS_riders),
                std::chrono::milliseconds(absl::GetFlag(FLAGS_pause_ms)));
  std::this_thread::sleep_for(std::chrono::seconds(3));
  const int warm = load.trips();
  std::this_thread::sleep_for(std::chrono::seconds(absl::GetFlag(FLAGS_seconds)));
  const int made = load.trips() - warm;
  load.Stop();
  std::this_thread::sleep_for(std::chrono::seconds(1));  // What is under way comes.
  stop = true;
  following.TryCancel();
  follower.join();
  consumer.join();
  if (!consumed.ok()) return consumed;

  std::vector<double> stream, kafka;
  for (const auto& [sequence, delay] : by_kafka) {
    const auto found = by_stream.find(sequence);
    if (found == by_stream.end() || sequence <= 2 * static_cast<std::uint64_t>(warm)) continue;
    stream.push_back(found->second);
    kafka.push_back(delay);
  }
  const double rate = 2.0 * made / absl::GetFlag(FLAGS_seconds);
  fmt::print("{} events, {:.0f}/s; from when an event happened until it was received, in ms:\n",
             stream.size(), rate);
  fmt::print("             p50      p99\n");
  fmt::print("FollowTrips {:5.1f}   {:6.1f}\n", Quantile(stream, 0.5), Quantile(stream, 0.99));
  fmt::print("Kafka       {:5.1f}   {:6.1f}\n", Quantile(kafka, 0.5), Quantile(kafka, 0.99));
  if (const std::string path = absl::GetFlag(FLAGS_json); !path.empty()) {
    std::ofstream(path) << fmt::format(
        R"({{"kafka": {{"events": {}, "events_per_s": {:.1f}, "stream_p50_ms": {:.3f}, )"
        R"("stream_p99_ms": {:.3f}, "kafka_p50_ms": {:.3f}, "kafka_p99_ms": {:.3f}}}}})",
        stream.size(), rate, Quantile(stream, 0.5), Quantile(stream, 0.99), Quantile(kafka, 0.5),
        Quantile(kafka, 0.99));
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace ridestream::kafka_tests

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage(
      "Compares how late FollowTrips and Kafka deliver the events of the trip log. Starts what it "
      "needs.");
  absl::ParseCommandLine(argc, argv);
  const absl::Status status = ridestream::kafka_tests::Run();
  if (status.ok()) return 0;
  fmt::print(stderr, "{}\n", status.ToString());
  return 1;
}
