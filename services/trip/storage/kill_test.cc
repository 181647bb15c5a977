// A process that dies between two instructions: a hundred times, in the middle of a hundred
// commits.

#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <random>
#include <set>

#include "gtest/gtest.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_folder.h"
#include "services/trip/storage/sqlite_trip_store.h"
#include "services/trip/testing/rides.h"

namespace ridestream::trip {
namespace {

using namespace testing;  // NOLINT: samples.
using ridestream::testing::IsOk;

constexpr int kRounds = 100;
constexpr int kCommits = 100;

std::string TripOf(int round, int number) { return fmt::format("t-{}-{}", round, number); }

/// Asks for kCommits trips at once, each committed by itself, and writes the number of each that is
/// answered to the pipe. Never returns.
[[noreturn]] void CommitUntilKilled(const std::string& path, int round, int answers) {
  ManualClock clock;
  auto store = SqliteTripStore::Open({.path = path, .clock = clock, .readers = 1, .max_batch = 1});
  if (!store.ok()) _exit(2);
  for (int i = 0; i < kCommits; ++i) {
    const std::string id = TripOf(round, i);
    (*store)->Submit(SampleRequest(id, "r-" + id, "q-" + id),
                     [answers, i](const absl::StatusOr<TripPtr>& trip) {
                       if (!trip.ok() || write(answers, &i, sizeof(i)) != sizeof(i)) _exit(3);
                     });
  }
  while (true) pause();
}

void SaveQuotes(SqliteTripStore& store, const Clock& clock, int round) {
  const Time expires = clock.Now() + std::chrono::minutes(5);
  for (int i = 0; i < kCommits; ++i) {
    const std::string id = TripOf(round, i);
    store.SaveQuote(SampleQuote("q-" + id, "r-" + id, expires),
                    [](const absl::Status& status) { EXPECT_THAT(status, IsOk()); });
  }
}

/// Waits for the first `enough` answers, kills, and returns all that were given.
std::set<int> KillAfter(int enough, const std::string& path, int round) {
  int fds[2];
  EXPECT_EQ(pipe(fds), 0);
  const pid_t child = fork();
  if (child == 0) {
    close(fds[0]);
    CommitUntilKilled(path, round, fds[1]);
  }
  close(fds[1]);
  std::set<int> answered;
  int number = 0;
  while (static_cast<int>(answered.size()) < enough &&
         read(fds[0], &number, sizeof(number)) == sizeof(number)) {
    answered.insert(number);
  }
  kill(child, SIGKILL);
  while (read(fds[0], &number, sizeof(number)) == sizeof(number)) answered.insert(number);
  close(fds[0]);
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status)) << "it ended by itself with " << status;
  return answered;
}

TEST(KillTest, AnsweredCommandsSurviveAHundredKills) {
  ridestream::testing::TempFolder folder;
  ManualClock clock;
  std::mt19937 random(1);
  const auto open = [&] {
    return SqliteTripStore::Open({.path = folder.File("trips.db"), .clock = clock, .readers = 1});
  };
  {
    const auto store = open();
    ASSERT_THAT(store, IsOk());
    SaveQuotes(**store, clock, 0);
  }
  std::size_t answered_in_all = 0;
  int cut_short = 0;
  for (int round = 0; round < kRounds; ++round) {
    SCOPED_TRACE(fmt::format("round {}", round));
    const auto enough = static_cast<int>(random() % kCommits);
    const std::set<int> answered = KillAfter(enough, folder.File("trips.db"), round);
    EXPECT_GE(static_cast<int>(answered.size()), enough);
    cut_short += answered.size() < kCommits ? 1 : 0;
    answered_in_all += answered.size();

    const auto store = open();
    ASSERT_THAT(store, IsOk());
    for (const int number : answered) {
      EXPECT_THAT((*store)->GetTrip(TripId(TripOf(round, number))), IsOk()) << number;
    }
    EXPECT_GE((*store)->LastSequence(), answered_in_all);
    SaveQuotes(**store, clock, round + 1);
    if (round % 10 == 9) {
      const auto log = ReadAll(**store);
      ASSERT_THAT(log, IsOk());
      EXPECT_EQ(log->size(), (*store)->LastSequence());
    }
  }
  EXPECT_GT(cut_short, kRounds / 2) << "the kills came after everything was done";
}

}  // namespace
}  // namespace ridestream::trip
