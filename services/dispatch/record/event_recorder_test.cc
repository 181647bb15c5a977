#include "services/dispatch/record/event_recorder.h"

#include <google/protobuf/io/coded_stream.h>
#include <gtest/gtest.h>

#include <deque>
#include <utility>

#include "services/dispatch/domain/events/decision_bytes.h"
#include "services/dispatch/record/record_codec.h"

namespace ridestream::dispatch {
namespace {

using std::chrono::milliseconds;

/// Counts what is passed on to it.
class Watcher final : public MarketRunner::Observer {
 public:
  explicit Watcher(std::vector<int>& calls) : calls_(calls) {}
  void Handling(const Event&, Time) override { ++calls_[0]; }
  void Decided(const std::vector<Decision>&) override { ++calls_[1]; }
  void Handled(const Event&, std::chrono::nanoseconds) override { ++calls_[2]; }
  void CommandEnded(const std::string&, absl::StatusCode) override { ++calls_[3]; }

 private:
  std::vector<int>& calls_;
};

class EventRecorderTest : public ::testing::Test {
 protected:
  void Handle(const Event& event, Duration at, const std::vector<Decision>& decisions = {}) {
    recorder_.Handling(event, ScaledClock::kAnchor + at);
    recorder_.Decided(decisions);
    recorder_.Handled(event, std::chrono::nanoseconds(1));
  }
  /// The entries of the oldest batch.
  std::vector<record::Entry> TakeBatch() {
    const auto [bytes, events] = batches_.front();
    batches_.pop_front();
    std::vector<record::Entry> entries;
    google::protobuf::io::CodedInputStream input(
        reinterpret_cast<const std::uint8_t*>(bytes.data()), static_cast<int>(bytes.size()));
    std::uint32_t length = 0;
    while (input.ReadVarint32(&length)) {
      const auto limit = input.PushLimit(static_cast<int>(length));
      record::Record record;
      EXPECT_TRUE(record.ParseFromCodedStream(&input));
      input.PopLimit(limit);
      entries.push_back(record.entry());
    }
    EXPECT_EQ(entries.size(), events);
    return entries;
  }

  std::vector<int> calls_ = std::vector<int>(4);
  std::deque<std::pair<std::string, std::uint64_t>> batches_;
  EventRecorder recorder_{std::make_unique<Watcher>(calls_),
                          [this](std::string batch, std::uint64_t events) {
                            batches_.emplace_back(std::move(batch), events);
                            return true;
                          }};
};

TEST_F(EventRecorderTest, RecordsEventsWithTheirTimesAndDecisionsAndPassesThemOn) {
  const Decision decision = EndSession{DriverId("d-1"), 3};
  Handle(DriverSuspect{DriverId("d-1")}, milliseconds(1), {decision});
  Handle(DriverHeard{DriverId("d-2")}, milliseconds(2));
  recorder_.CommandEnded("assign", absl::StatusCode::kOk);
  EXPECT_TRUE(batches_.empty());
  recorder_.Flush();
  ASSERT_EQ(batches_.size(), 1u);
  const auto entries = TakeBatch();
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(Time(Duration(entries[0].at())), ScaledClock::kAnchor + milliseconds(1));
  EXPECT_EQ(entries[0].event().suspect_driver(), "d-1");
  EXPECT_EQ(entries[0].decisions(), 1u);
  std::string bytes;
  AppendBytes(decision, bytes);
  EXPECT_EQ(entries[0].checksum(), Checksum(bytes));
  EXPECT_EQ(entries[1].event().heard_driver(), "d-2");
  EXPECT_EQ(entries[1].decisions(), 0u);
  EXPECT_EQ(calls_, (std::vector<int>{2, 2, 2, 1}));
}

TEST_F(EventRecorderTest, ABatchEndsByItsAgeOrItsSize) {
  Handle(Wake{}, milliseconds(0));
  Handle(Wake{}, milliseconds(999));
  EXPECT_TRUE(batches_.empty());
  Handle(Wake{}, milliseconds(1'000));
  ASSERT_EQ(batches_.size(), 1u);
  EXPECT_EQ(TakeBatch().size(), 3u);
  TripLogged large;
  large.event.mutable_trip()->set_trip_id(std::string(EventRecorder::kBatchBytes, 't'));
  Handle(large, milliseconds(1'001));
  ASSERT_EQ(batches_.size(), 1u);
  EXPECT_EQ(TakeBatch().size(), 1u);
}

TEST_F(EventRecorderTest, RecordsWhenASolverWasStopped) {
  int asked = 0;
  const StartDeadline deadline =
      recorder_.Watch([&asked] { return [&asked] { return ++asked > 3; }; });
  // The first round of an event finishes in time; the second has time for three rows.
  recorder_.Handling(Wake{}, ScaledClock::kAnchor);
  deadline();
  const OutOfTime stopped = deadline();
  for (int row = 0; row < 3; ++row) EXPECT_FALSE(stopped());
  EXPECT_TRUE(stopped());
  recorder_.Decided({});
  // Nothing was stopped here.
  recorder_.Handling(Wake{}, ScaledClock::kAnchor);
  deadline();
  recorder_.Decided({});
  recorder_.Flush();
  const auto entries = TakeBatch();
  ASSERT_EQ(entries[0].solver_stopped_after_size(), 2);
  EXPECT_EQ(entries[0].solver_stopped_after(0), 0u);
  EXPECT_EQ(entries[0].solver_stopped_after(1), 4u);
  EXPECT_EQ(entries[1].solver_stopped_after_size(), 0);
}

}  // namespace
}  // namespace ridestream::dispatch
