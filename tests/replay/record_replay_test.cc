// Records of the simulation and of real processes, replayed: the decisions must be the same, to the
// bit.

#include "tests/replay/record_replay.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "libs/process/authority.h"
#include "libs/process/child_process.h"
#include "libs/process/local_services.h"
#include "libs/process/run_command.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_folder.h"
#include "services/dispatch/domain/events/decision_bytes.h"
#include "services/dispatch/record/record_codec.h"
#include "services/dispatch/record/record_file.h"
#include "services/dispatch/record/record_reader.h"
#include "tests/sim/run.h"

namespace ridestream::replay {
namespace {

using ::testing::HasSubstr;
using testing::IsOk;

struct Replayed {
  std::uint64_t events = 0;
  std::uint64_t decisions = 0;
  std::uint64_t differing = 0;
};

Replayed ReplayFile(const std::string& path) {
  Replayed replayed;
  const auto reader = dispatch::RecordReader::Open(path);
  EXPECT_THAT(reader, IsOk());
  if (!reader.ok()) return replayed;
  const auto replay = RecordReplay::Start((*reader)->header());
  EXPECT_THAT(replay, IsOk());
  while (replay.ok()) {
    const auto record = (*reader)->Next();
    EXPECT_THAT(record, IsOk());
    if (!record.ok() || !*record) break;
    const auto step = (*replay)->Handle((*record)->entry());
    EXPECT_THAT(step, IsOk());
    if (!step.ok()) break;
    ++replayed.events;
    replayed.decisions += step->decisions.size();
    replayed.differing += step->equal ? 0 : 1;
  }
  EXPECT_FALSE((*reader)->torn());
  return replayed;
}

TEST(RecordReplayTest, SimulatedCitiesUnderFaultsAreDecidedAgainToTheBit) {
  spdlog::set_level(spdlog::level::off);
  Replayed sum;
  std::size_t lives = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(fmt::format("./ride sim --seed {} --record FOLDER", seed));
    const testing::TempFolder folder;
    const sim::RunResult run = sim::Run({.seed = seed, .record = folder.path()});
    ASSERT_EQ(run.violation, "");
    EXPECT_EQ(run.trace_hash, sim::Run({.seed = seed}).trace_hash) << "recording changes the run";
    const auto records = dispatch::ListRecords(folder.path(), "");
    ASSERT_THAT(records, IsOk());
    for (const std::string& path : *records) {
      const Replayed replayed = ReplayFile(path);
      EXPECT_EQ(replayed.differing, 0u) << path;
      sum.events += replayed.events;
      sum.decisions += replayed.decisions;
    }
    lives += records->size();
  }
  // Some processes died, and all had something to decide.
  EXPECT_GT(lives, 20u);
  EXPECT_GT(sum.events, 10'000u);
  EXPECT_GT(sum.decisions, 5'000u);
}

TEST(RecordReplayTest, AnotherSettingIsSeenAsADifference) {
  spdlog::set_level(spdlog::level::off);
  const testing::TempFolder folder;
  ASSERT_EQ(sim::Run({.seed = 1, .record = folder.path()}).violation, "");
  const auto records = dispatch::ListRecords(folder.path(), "");
  ASSERT_THAT(records, IsOk());
  const auto reader = dispatch::RecordReader::Open(records->front());
  ASSERT_THAT(reader, IsOk());
  dispatch::record::Header header = (*reader)->header();
  header.mutable_settings()->set_offer_lease(header.settings().offer_lease() + 1);
  const auto replay = RecordReplay::Start(header);
  ASSERT_THAT(replay, IsOk());
  std::uint64_t differing = 0;
  while (true) {
    const auto record = (*reader)->Next();
    ASSERT_THAT(record, IsOk());
    if (!*record) break;
    const auto step = (*replay)->Handle((*record)->entry());
    ASSERT_THAT(step, IsOk());
    differing += step->equal ? 0 : 1;
  }
  EXPECT_GT(differing, 0u);
}

std::string Bin() {
  const char* bin = std::getenv("RIDESTREAM_BIN");
  EXPECT_NE(bin, nullptr) << "run by ctest, or set RIDESTREAM_BIN to the folder of the binaries";
  return bin == nullptr ? "" : bin;
}

TEST(RecordReplayTest, RealServicesUnderLoadAreDecidedAgainToTheBit) {
  const testing::TempFolder folder;
  const auto services = process::LocalServices::Start(
      {.bin = Bin(),
       .trip_flags = {"--clock_rate=20"},
       .location_flags = {"--clock_rate=20"},
       .dispatch_flags = {"--clock_rate=20", "--record=" + folder.path()}});
  ASSERT_THAT(services, IsOk());
  const auto load = process::RunCommand(fmt::format(
      "{}/loadtest --trip={} --location={} --dispatch={} {} --clock_rate=20 --drivers=30 "
      "--seconds=5 --requests_per_hour=1200 2>&1",
      Bin(), (*services)->trip(), (*services)->location(), (*services)->dispatch(),
      process::LoadtestSecurityFlag((*services)->authority())));
  ASSERT_THAT(load, IsOk());
  EXPECT_EQ(load->wait_status, 0) << load->output;
  ASSERT_THAT((*services)->Stop(), IsOk());
  const auto replayed = process::RunCommand(fmt::format("{}/replay {} 2>&1", Bin(), folder.path()));
  ASSERT_THAT(replayed, IsOk());
  EXPECT_EQ(replayed->wait_status, 0) << replayed->output;
  EXPECT_THAT(replayed->output, HasSubstr("all as recorded"));
  const auto records = dispatch::ListRecords(folder.path(), "");
  ASSERT_THAT(records, IsOk());
  ASSERT_EQ(records->size(), 1u);
  const Replayed counted = ReplayFile(records->front());
  EXPECT_EQ(counted.differing, 0u);
  EXPECT_GT(counted.events, 100u);
  EXPECT_GT(counted.decisions, 100u);
}

}  // namespace
}  // namespace ridestream::replay
