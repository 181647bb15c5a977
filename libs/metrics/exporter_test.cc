#include "libs/metrics/exporter.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <vector>

#include "libs/metrics/process_figures.h"
#include "libs/metrics/readings.h"
#include "libs/metrics/testing/scrape.h"
#include "libs/testing/status_matchers.h"

namespace ridestream::metrics {
namespace {

using ridestream::testing::IsOk;
using ridestream::testing::StatusIs;
using testing::ScrapeMetrics;
using testing::Sum;

/// Readings that are served on a free port.
class ExporterTest : public ::testing::Test {
 protected:
  void Serve() {
    auto exporter = Exporter::Start("127.0.0.1:0", {readings_});
    ASSERT_THAT(exporter, IsOk());
    exporter_ = *std::move(exporter);
  }
  testing::Metrics Scrape() {
    auto metrics = ScrapeMetrics(exporter_->address());
    EXPECT_THAT(metrics, IsOk());
    return metrics.ok() ? *metrics : testing::Metrics();
  }

  std::shared_ptr<Readings> readings_ = std::make_shared<Readings>();
  std::unique_ptr<Exporter> exporter_;
};

TEST_F(ExporterTest, EachScrapeReadsTheValuesOfThatMoment) {
  double sessions = 3;
  readings_->AddOne(Readings::Kind::kGauge, "sessions", "Sessions", [&] { return sessions; });
  readings_->Add(Readings::Kind::kCounter, "positions_total", "Positions", [] {
    return std::vector<Readings::Sample>{{{{"outcome", "accepted"}}, 7},
                                         {{{"outcome", "a \"late\" one"}}, 2}};
  });
  Serve();
  testing::Metrics metrics = Scrape();
  EXPECT_EQ(metrics["sessions"].type, "gauge");
  EXPECT_EQ(metrics["sessions"].help, "Sessions");
  EXPECT_EQ(Sum(metrics, "sessions"), 3);
  EXPECT_EQ(metrics["positions_total"].type, "counter");
  EXPECT_EQ(Sum(metrics, "positions_total"), 9);
  EXPECT_EQ(Sum(metrics, "positions_total", {{"outcome", "a \"late\" one"}}), 2);
  sessions = 4;
  EXPECT_EQ(Sum(Scrape(), "sessions"), 4);
}

TEST_F(ExporterTest, LeavesOutUnknownReadings) {
  readings_->Add(Readings::Kind::kGauge, "unknown", "Unknown",
                 [] { return std::vector<Readings::Sample>(); });
  Serve();
  EXPECT_FALSE(Scrape().contains("unknown"));
}

TEST_F(ExporterTest, ProcessFiguresAreThoseOfThisProcess) {
  AddProcessFigures(*readings_);
  Serve();
  const testing::Metrics before = Scrape();
  EXPECT_GT(Sum(before, "process_resident_memory_bytes"), 1e6);
  EXPECT_GE(Sum(before, "process_virtual_memory_bytes"),
            Sum(before, "process_resident_memory_bytes"));
  EXPECT_GT(Sum(before, "process_threads"), 1);
  const double now =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  EXPECT_NEAR(Sum(before, "process_start_time_seconds"), now, 60);

  std::vector<int> files;
  for (int i = 0; i < 20; ++i) files.push_back(open("/dev/null", O_RDONLY | O_CLOEXEC));
  while (Sum(Scrape(), "process_cpu_seconds_total") <= Sum(before, "process_cpu_seconds_total")) {
  }
  // The socket of an earlier scrape may still be open.
  EXPECT_NEAR(Sum(Scrape(), "process_open_fds"), Sum(before, "process_open_fds") + 20, 3);
  for (const int file : files) close(file);
  EXPECT_GT(Sum(before, "process_max_fds"), Sum(before, "process_open_fds"));
}

TEST_F(ExporterTest, OnlyMetricsAreServed) {
  Serve();
  EXPECT_THAT(testing::HttpGet(exporter_->address(), "/etc/passwd"),
              StatusIs(absl::StatusCode::kInternal, "404"));
}

TEST(ExporterStartTest, APortInUseIsAnErrorThatNamesIt) {
  const auto first = Exporter::Start("127.0.0.1:0", {});
  ASSERT_THAT(first, IsOk());
  EXPECT_THAT(Exporter::Start((*first)->address(), {}),
              StatusIs(absl::StatusCode::kUnavailable, (*first)->address()));
}

TEST(ExporterStartTest, ListensOnTheAddressOfAName) {
  const auto exporter = Exporter::Start("localhost:0", {});
  ASSERT_THAT(exporter, IsOk());
  const auto served = ParseHostPort((*exporter)->address());
  ASSERT_THAT(served, IsOk());
  EXPECT_EQ(served->host, "localhost");
  EXPECT_GT(served->port, 0);
}

TEST(ExporterStartTest, OffServesNothing) {
  const auto exporter = Exporter::Start("off", {});
  ASSERT_THAT(exporter, IsOk());
  EXPECT_EQ((*exporter)->address(), "off");
}

TEST(ExporterStartTest, QuotesAnInvalidAddress) {
  for (const char* listen : {"", "on", "7101", ":7101", "127.0.0.1:", "127.0.0.1:http",
                             "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:1,127.0.0.1:2"}) {
    EXPECT_THAT(Exporter::Start(listen, {}),
                StatusIs(absl::StatusCode::kInvalidArgument, "--metrics_listen"))
        << listen;
  }
}

}  // namespace
}  // namespace ridestream::metrics
