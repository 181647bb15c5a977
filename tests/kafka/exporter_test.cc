// The processes trip and exporter with a real broker, read by Kafka's own consumer and kcat.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "libs/metrics/testing/scrape.h"
#include "libs/process/free_port.h"
#include "libs/testing/status_matchers.h"
#include "ridestream/exporter/v1/exporter.pb.h"
#include "tests/kafka/export_system.h"
#include "tests/kafka/kafka_broker.h"

namespace ridestream::kafka_tests {
namespace {

using ridestream::testing::IsOk;
using ridestream::testing::StatusIs;
using ::testing::HasSubstr;

class ExporterProcessTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto broker = KafkaBroker::Start();
    if (absl::IsNotFound(broker.status())) GTEST_SKIP() << broker.status();
    ASSERT_THAT(broker, IsOk());
    broker_ = *std::move(broker);
    system_ = std::make_unique<ExportSystem>(broker_->address());
  }

  /// Number of further trips.
  static void Await(const TripLoad& load, int trips) {
    const int goal = load.trips() + trips;
    while (load.trips() < goal) std::this_thread::yield();
  }
  /// Expects the process to end by itself with this error.
  static void ExpectEnd(process::ChildProcess& exporter, const std::string& reason) {
    const int status = exporter.Stop(0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 1)
        << process::DescribeWaitStatus(status);
    EXPECT_THAT(exporter.LogEnd(), HasSubstr(reason));
  }

  /// Waits until the end of the process's log contains the text.
  static void WaitForLog(process::ChildProcess& exporter, const std::string& text) {
    while (exporter.LogEnd().find(text) == std::string::npos) {
      ASSERT_FALSE(exporter.HasEnded()) << exporter.LogEnd();
    }
  }

  /// Drivers' positions go to a topic of their own, which the exporter doesn't make.
  void ExportPositions(process::ChildProcess& exporter, const std::string& location) {
    std::vector<location::v1::PositionReport> reports(2);
    for (std::size_t i = 0; i < reports.size(); ++i) {
      reports[i].set_driver_id(fmt::format("d-{}", i));
      reports[i].set_session_epoch(1);
      reports[i].set_sequence(1);
      reports[i].set_lat_e7(450'000'000 + static_cast<int>(i));
      reports[i].set_lng_e7(-300'000'000);
      reports[i].set_state(location::v1::DRIVER_STATE_IDLE);
    }
    system_->ReportPositions(location, reports);
    // The topic doesn't exist yet, which only drops these positions.
    WaitForMetric(exporter, "exporter_positions_dropped_total", 2);
    WaitForLog(exporter, "NOT_FOUND: topic positions");
    ASSERT_THAT(broker_->CreateTopic("positions", 2), IsOk());
    for (auto& report : reports) {
      report.set_sequence(2);
      report.set_lat_e7(report.lat_e7() + 500);
    }
    system_->ReportPositions(location, reports);
    WaitForMetric(exporter, "exporter_positions_produced_total", 2);

    std::map<std::string, exporter::v1::DriverPosition> newest;
    for (const ReadRecord& record : ReadTopic(broker_->address(), "positions")) {
      ASSERT_TRUE(newest[record.key].ParseFromString(record.value));
      EXPECT_EQ(record.key, newest[record.key].driver_id());
    }
    ASSERT_EQ(newest.size(), 2u);
    EXPECT_EQ(newest["d-1"].market(), "city");
    EXPECT_EQ(newest["d-1"].position().lat_e7(), 450'000'501);
    EXPECT_EQ(newest["d-1"].state(), location::v1::DRIVER_STATE_IDLE);
  }

  std::unique_ptr<KafkaBroker> broker_;
  std::unique_ptr<ExportSystem> system_;
};

TEST_F(ExporterProcessTest, EachEventComesOnceAndInOrderAlthoughEachProcessIsKilled) {
  ASSERT_THAT(broker_->CreateTopics("trips", 3), IsOk());
  system_->StartTrip();
  auto exporter = system_->StartExporter();
  TripLoad load(system_->trip_address(), 4);
  Await(load, 50);

  exporter->Stop(SIGKILL);
  Await(load, 20);
  exporter = system_->StartExporter();
  Await(load, 20);

  broker_->Kill();
  Await(load, 20);
  ASSERT_THAT(broker_->Restart(), IsOk());
  Await(load, 20);

  system_->KillTrip();
  system_->StartTrip();
  Await(load, 20);
  load.Stop();

  const auto log = system_->ReadLog();
  ASSERT_GE(log.size(), 300u);
  WaitForSequence(*exporter, log.rbegin()->first);

  // By Kafka's own consumer: each sequence once, and in order within each trip and partition.
  const auto consumed = broker_->RunTool(
      "org.apache.kafka.tools.consumer.ConsoleConsumer",
      {"--bootstrap-server", broker_->address(), "--topic", "trips", "--from-beginning",
       "--isolation-level", "read_committed", "--max-messages", std::to_string(log.size()),
       "--timeout-ms", "60000", "--formatter-property", "print.partition=true",
       "--formatter-property", "print.key=true", "--formatter-property", "print.headers=true",
       "--formatter-property", "print.value=false"});
  ASSERT_THAT(consumed, IsOk());
  const std::regex line_pattern("Partition:(\\d+)\tsequence:(\\d+),x-request-id:\\S+\t(\\S+)");
  std::map<std::uint64_t, int> times;
  std::map<std::string, std::uint64_t> last;
  std::istringstream lines(*consumed);
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    ASSERT_TRUE(std::regex_search(line, match, line_pattern)) << line;
    const std::uint64_t sequence = std::stoull(match[2]);
    ++times[sequence];
    for (const std::string& key : {"partition " + match[1].str(), "trip " + match[3].str()}) {
      EXPECT_GT(sequence, last[key]) << key;
      last[key] = sequence;
    }
  }
  EXPECT_EQ(times.size(), log.size());
  for (const auto& [sequence, count] : times) {
    EXPECT_TRUE(count == 1 && log.contains(sequence)) << sequence << ": " << count << " times";
  }

  // By kcat: the values are the log's events, in their trips' partitions.
  std::map<std::string, int> partitions;
  std::size_t records = 0;
  for (const ReadRecord& record : ReadTopic(broker_->address(), "trips")) {
    trip::v1::TripEvent event;
    ASSERT_TRUE(event.ParseFromString(record.value));
    EXPECT_EQ(record.value, log.at(event.sequence()));
    EXPECT_EQ(record.key, event.trip().trip_id());
    EXPECT_EQ(partitions.emplace(record.key, record.partition).first->second, record.partition);
    ++records;
  }
  EXPECT_EQ(records, log.size());
  exporter->Signal(SIGTERM);
  EXPECT_EQ(exporter->Stop(0), 0) << exporter->LogEnd();
}

TEST_F(ExporterProcessTest, ServesTheDocumentedMetricsAndUpdatesThem) {
  ASSERT_THAT(broker_->CreateTopics("trips", 1), IsOk());
  system_->StartTrip();
  const std::string location = system_->StartLocation();
  const auto exporter = system_->StartExporter(
      {"--positions_topic=positions", "--positions_every=100ms", "--location=" + location});
  ExportPositions(*exporter, location);
  if (HasFatalFailure()) return;
  TripLoad load(system_->trip_address(), 1);
  Await(load, 3);
  load.Stop();
  const std::uint64_t last = system_->ReadLog().rbegin()->first;
  WaitForSequence(*exporter, last);
  const auto metrics = metrics::testing::ScrapeMetrics(exporter->Announced("metrics"));
  ASSERT_THAT(metrics, IsOk());
  EXPECT_EQ(metrics::testing::Sum(*metrics, "exporter_events_produced_total"),
            static_cast<double>(last));
  EXPECT_EQ(metrics::testing::Sum(*metrics, "exporter_topic_open"), 1);
  EXPECT_EQ(metrics::testing::Sum(*metrics, "exporter_log_open"), 1);

  std::set<std::string> scraped;
  for (const auto& [name, metric] : *metrics) {
    if (name.starts_with("exporter_") && !metric.series.empty()) {
      scraped.insert(name + " " + metric.type);
    }
  }
  std::set<std::string> on_the_page;
  std::ifstream page("docs/metrics.md");
  const std::regex row("\\| `(exporter_\\w+)` \\| (\\w+) \\|.*");
  std::smatch match;
  for (std::string line; std::getline(page, line);) {
    if (std::regex_match(line, match, row))
      on_the_page.insert(match[1].str() + " " + match[2].str());
  }
  EXPECT_EQ(scraped, on_the_page);
}

TEST_F(ExporterProcessTest, SecondExporterTakesOverAndTheFirstEndsWithTheReason) {
  ASSERT_THAT(broker_->CreateTopics("trips", 2), IsOk());
  system_->StartTrip();
  const auto first = system_->StartExporter();
  TripLoad load(system_->trip_address(), 2);
  Await(load, 10);
  const auto second = system_->StartExporter();
  Await(load, 10);
  ExpectEnd(*first, "another exporter has taken the topic over");
  load.Stop();
  const auto log = system_->ReadLog();
  WaitForSequence(*second, log.rbegin()->first);
  EXPECT_EQ(ReadTopic(broker_->address(), "trips").size(), log.size());
}

TEST_F(ExporterProcessTest, WaitsForABrokerAndTopicsThatComeLater) {
  broker_->Kill();
  system_->StartTrip();
  const auto exporter = system_->StartExporter({}, false);
  WaitForLog(*exporter, "export_interrupted");
  ASSERT_THAT(broker_->Restart(), IsOk());
  WaitForLog(*exporter, "NOT_FOUND: topic trips");
  ASSERT_THAT(broker_->CreateTopics("trips", 1), IsOk());
  EXPECT_THAT(exporter->WaitUntilServing(), IsOk());
}

TEST_F(ExporterProcessTest, IsNotReadyUntilTripServesItsMarkets) {
  ASSERT_THAT(broker_->CreateTopics("trips", 1), IsOk());
  system_->StartTrip();
  const std::string metrics_address = fmt::format("127.0.0.1:{}", process::FreePort());
  const auto exporter =
      system_->StartExporter({"--markets=town", "--metrics_listen=" + metrics_address}, false);
  WaitForLog(*exporter, "market 'town' isn't served here");
  EXPECT_THAT(exporter->LogEnd(), HasSubstr("give --markets only markets that trip"));
  const auto metrics = metrics::testing::ScrapeMetrics(metrics_address);
  ASSERT_THAT(metrics, IsOk());
  EXPECT_EQ(metrics::testing::Sum(*metrics, "exporter_topic_open"), 1);
  EXPECT_EQ(metrics::testing::Sum(*metrics, "exporter_log_open"), 0);
  system_->StartTrip("trip", {"--markets=town=city:1"});
  EXPECT_THAT(exporter->WaitUntilServing(), IsOk());
  WaitForMetric(*exporter, "exporter_log_open", 1);
}

TEST_F(ExporterProcessTest, EndsWhenTripHasAnotherLog) {
  ASSERT_THAT(broker_->CreateTopics("trips", 1), IsOk());
  system_->StartTrip();
  const auto exporter = system_->StartExporter();
  TripLoad load(system_->trip_address(), 1);
  Await(load, 3);
  load.Stop();
  WaitForSequence(*exporter, 6);
  system_->StartTrip("another");
  ExpectEnd(*exporter, "a different log");
}

TEST(ExporterWithoutKafkaTest, EndsWithTheReasonWhenNoBrokerAnswers) {
  ExportSystem system("127.0.0.1:1");
  const auto exporter = system.StartExporter({"--give_up_after=1s"}, false);
  const int status = exporter->Stop(0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 1);
  EXPECT_THAT(exporter->LogEnd(), HasSubstr("given up after"));
  EXPECT_THAT(exporter->LogEnd(), HasSubstr("no broker of 127.0.0.1:1 answers"));
}

}  // namespace
}  // namespace ridestream::kafka_tests
