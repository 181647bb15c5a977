// Compares the metrics of running services with docs/metrics.md, line by line, and checks that the
// figures follow a ride.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "libs/metrics/testing/scrape.h"
#include "libs/process/local_services.h"
#include "libs/roads/streets.h"
#include "libs/rpc/development_security.h"
#include "libs/testing/status_matchers.h"
#include "tests/e2e/test_driver.h"
#include "tests/e2e/test_rider.h"

namespace ridestream::e2e {
namespace {

using metrics::testing::Metrics;
using metrics::testing::ScrapeMetrics;
using metrics::testing::Sum;
using ::testing::ContainerEq;

/// A metric as documented, or as scraped.
struct Described {
  std::string type;
  std::set<std::string> labels;
  friend bool operator==(const Described&, const Described&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Described& what) {
    out << what.type << " {";
    for (const std::string& label : what.labels) out << " " << label;
    return out << " }";
  }
};
using Page = std::map<std::string, Described>;

std::vector<std::string> Cells(const std::string& row) {
  std::vector<std::string> cells;
  std::string cell;
  std::istringstream text(row.substr(1));
  while (std::getline(text, cell, '|')) cells.push_back(cell);
  return cells;
}

/// The texts between backticks.
std::set<std::string> Quoted(const std::string& text) {
  std::set<std::string> words;
  std::size_t begin = 0;
  while ((begin = text.find('`', begin)) != std::string::npos) {
    const std::size_t end = text.find('`', begin + 1);
    words.insert(text.substr(begin + 1, end - begin - 1));
    begin = end + 1;
  }
  return words;
}

/// The tables of the page by their headings.
std::map<std::string, Page> ReadPage() {
  std::ifstream file("docs/metrics.md");
  EXPECT_TRUE(file) << "run in the root of the repository";
  std::map<std::string, Page> pages;
  std::string heading;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("## ")) heading = line.substr(3);
    if (!line.starts_with("| `")) continue;
    const std::vector<std::string> cells = Cells(line);
    EXPECT_EQ(cells.size(), 5u) << line;
    std::string type = cells.at(1);
    type.erase(std::remove(type.begin(), type.end(), ' '), type.end());
    EXPECT_TRUE(pages[heading]
                    .emplace(*Quoted(cells.at(0)).begin(), Described{type, Quoted(cells.at(2))})
                    .second)
        << "twice: " << line;
  }
  return pages;
}

/// The scrape in the page's form: `le`, and a summary's `quantile`, belong to the type.
Page Describe(const Metrics& metrics) {
  Page page;
  for (const auto& [name, metric] : metrics) {
    Described& described = page[name];
    described.type = metric.type;
    for (const auto& series : metric.series) {
      for (const auto& [label, value] : series.labels) {
        const bool of_type = label == "le" || (label == "quantile" && metric.type == "summary");
        if (!of_type) described.labels.insert(label);
      }
    }
  }
  return page;
}

class MetricsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* bin = std::getenv("RIDESTREAM_BIN");
    ASSERT_NE(bin, nullptr) << "run by ctest, or set RIDESTREAM_BIN to the folder of the binaries";
    auto system =
        process::LocalServices::Start({.bin = bin, .dispatch_flags = {"--match_every=200ms"}});
    ASSERT_THAT(system, testing::IsOk());
    ASSERT_THAT(rpc::UseDevelopmentAuthority((*system)->authority()), testing::IsOk());
    system_ = *std::move(system);
    streets_ = *roads::Streets::Load("city:1");
    std::mt19937_64 random(7);
    for (LatLng& place : places_) place = roads::RandomPointOnStreet(streets_->graph(), random);
  }

  /// One ride, whose first driver declines.
  void Ride() {
    const auto unwilling =
        std::make_unique<TestDriver>(system_->dispatch(), "d-1", OffsetBy(places_[0], 50, 0));
    TestRider rider(system_->trip(), "r-1");
    rider.Request(rider.Quote(places_[0], places_[1]), "first");
    unwilling->Answer(unwilling->WaitForOffer(), false);
    EXPECT_EQ(unwilling->WaitForOfferEnded().outcome(), dispatch::v1::OFFER_OUTCOME_DECLINED);
    const auto driver =
        std::make_unique<TestDriver>(system_->dispatch(), "d-2", OffsetBy(places_[0], 100, 0));
    driver->AcceptAndFinish(driver->WaitForOffer());
    rider.WaitFor(trip::v1::TRIP_STATE_COMPLETED);
  }
  Metrics Scrape(const std::string& service) {
    const auto metrics = ScrapeMetrics(system_->metrics(service));
    EXPECT_THAT(metrics, testing::IsOk());
    return metrics.ok() ? *metrics : Metrics();
  }
  /// Waits for a figure that is updated a little after the ride.
  void WaitUntil(const std::string& service, const std::string& name,
                 const std::map<std::string, std::string>& labels, double value) {
    while (Sum(Scrape(service), name, labels) != value) {
    }
  }

  std::unique_ptr<process::LocalServices> system_;
  std::unique_ptr<roads::Streets> streets_;
  LatLng places_[2];
};

TEST_F(MetricsTest, EveryMetricIsOnThePageAndEveryLineOfThePageIsScraped) {
  Ride();
  const std::map<std::string, Page> pages = ReadPage();
  // The stream ends, so that the method has been called.
  WaitUntil("dispatch", "dispatch_rpc_open", {{"method", "Drive"}}, 0);
  for (const std::string service : {"trip", "location", "dispatch"}) {
    SCOPED_TRACE(service);
    Page expected = pages.at("Every service");
    expected.insert(pages.at(service).begin(), pages.at(service).end());
    Scrape(service);  // The exporter counts scrapes only after the first.
    const Metrics metrics = Scrape(service);
    EXPECT_THAT(Describe(metrics), ContainerEq(expected));
    for (const auto& [name, metric] : metrics) EXPECT_NE(metric.help, "") << name;
  }
}

TEST_F(MetricsTest, ValuesMatchTheRide) {
  Ride();
  WaitUntil("dispatch", "dispatch_rpc_calls_total", {{"method", "Drive"}}, 2);
  // The rider may see the end of the ride before dispatch has trip's answer.
  WaitUntil("dispatch", "dispatch_trip_commands_total", {{"command", "advance"}, {"code", "OK"}},
            3);
  const Metrics dispatch = Scrape("dispatch");
  EXPECT_EQ(Sum(dispatch, "dispatch_offers_made_total", {{"market", "city"}}), 2);
  EXPECT_EQ(Sum(dispatch, "dispatch_offers_ended_total", {{"outcome", "accepted"}}), 1);
  EXPECT_EQ(Sum(dispatch, "dispatch_offers_ended_total", {{"outcome", "declined"}}), 1);
  EXPECT_EQ(Sum(dispatch, "dispatch_session_events_total", {{"event", "begun"}}), 2);
  EXPECT_EQ(Sum(dispatch, "dispatch_sessions"), 2);
  EXPECT_GE(Sum(dispatch, "dispatch_matching_rounds_total", {{"result", "answered"}}), 2);
  EXPECT_GT(Sum(dispatch, "dispatch_market_busy_seconds_total"), 0);
  EXPECT_GE(Sum(dispatch, "dispatch_positions_total", {{"outcome", "accepted"}}), 2);

  const Metrics trip = Scrape("trip");
  for (const char* state : {"requested", "assigned", "arrived", "aboard", "completed"}) {
    EXPECT_EQ(Sum(trip, "trip_transitions_total", {{"state", state}}), 1) << state;
  }
  // Nobody waited in vain.
  EXPECT_EQ(Sum(trip, "trip_wait_seconds", {{"outcome", "assigned"}, {"le", "+Inf"}}), 1);
  EXPECT_EQ(Sum(trip, "trip_wait_seconds", {{"le", "+Inf"}}), 1);
  EXPECT_EQ(Sum(trip, "trip_log_sequence"), 5);
  EXPECT_EQ(Sum(trip, "trip_rpc_calls_total", {{"method", "RequestTrip"}, {"code", "OK"}}), 1);
  EXPECT_EQ(Sum(trip, "trip_rpc_open", {{"method", "FollowTrips"}}), 1);
  EXPECT_EQ(Sum(trip, "trip_queue_bound", {{"queue", "commands"}}), 16'384);

  const Metrics location = Scrape("location");
  EXPECT_EQ(Sum(location, "location_drivers", {{"market", "city"}}), 2);
  EXPECT_EQ(Sum(location, "location_rpc_open", {{"method", "ReportPositions"}}), 1);
  EXPECT_GE(Sum(location, "location_nearest_queries_total"), 2);
}

}  // namespace
}  // namespace ridestream::e2e
