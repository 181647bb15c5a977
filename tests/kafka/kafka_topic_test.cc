// The exporter's topic on a real broker.

#include "services/exporter/kafka/kafka_topic.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_folder.h"
#include "tests/kafka/export_system.h"
#include "tests/kafka/kafka_broker.h"

namespace ridestream::kafka_tests {
namespace {

using exporter::KafkaTopic;
using exporter::Record;
using ridestream::testing::IsOk;
using ridestream::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::Field;

class KafkaTopicTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto broker = KafkaBroker::Start();
    if (absl::IsNotFound(broker.status())) GTEST_SKIP() << broker.status();
    ASSERT_THAT(broker, IsOk());
    broker_ = *std::move(broker);
  }
  KafkaTopic Topic(const std::string& name) const {
    return KafkaTopic({.topic = name, .settings = {{"bootstrap.servers", broker_->address()}}});
  }
  static exporter::v1::ExportPosition Position(std::uint64_t sequence) {
    exporter::v1::ExportPosition position;
    position.set_sequence(sequence);
    return position;
  }
  static Record RecordOf(const std::string& key, const std::string& value) {
    return {.key = key, .value = value, .headers = {{"sequence", "1"}}};
  }
  /// Begins a transaction like the topic's exporter, sends a record in it, and disappears.
  void LeaveTransactionOpen(const std::string& topic) {
    auto producer = exporter::MakeClient(RD_KAFKA_PRODUCER,
                                         {{"bootstrap.servers", broker_->address()},
                                          {"transactional.id", "ridestream-exporter." + topic}});
    ASSERT_THAT(producer, IsOk());
    rd_kafka_t* client = producer->get();
    ASSERT_THAT(exporter::ToStatus(rd_kafka_init_transactions(client, 10'000), "init"), IsOk());
    ASSERT_THAT(exporter::ToStatus(rd_kafka_begin_transaction(client), "begin"), IsOk());
    rd_kafka_topic_t* handle = rd_kafka_topic_new(client, topic.c_str(), nullptr);
    char value[] = "unfinished";
    ASSERT_EQ(rd_kafka_produce(handle, 0, RD_KAFKA_MSG_F_COPY, value, sizeof(value) - 1, nullptr, 0,
                               nullptr),
              0);
    rd_kafka_topic_destroy(handle);
    ASSERT_EQ(rd_kafka_flush(client, 10'000), RD_KAFKA_RESP_ERR_NO_ERROR);
  }

  std::unique_ptr<KafkaBroker> broker_;
};

TEST_F(KafkaTopicTest, KeepsItsPositionAndFencesTheEarlierWriter) {
  ASSERT_THAT(broker_->CreateTopics("trips", 2), IsOk());
  KafkaTopic first = Topic("trips");
  const auto opened = first.Open();
  ASSERT_THAT(opened, IsOk());
  EXPECT_EQ(opened->position.sequence(), 0u);
  EXPECT_EQ(opened->partitions, 2u);
  ASSERT_THAT(first.Write({RecordOf("a", "one"), RecordOf("b", "two")}, Position(2)), IsOk());

  KafkaTopic second = Topic("trips");
  const auto taken_over = second.Open();
  ASSERT_THAT(taken_over, IsOk());
  EXPECT_EQ(taken_over->position.sequence(), 2u);
  EXPECT_THAT(first.Write({RecordOf("a", "doubled")}, Position(3)),
              StatusIs(absl::StatusCode::kAborted, "another exporter has taken the topic over"));
  ASSERT_THAT(second.Write({RecordOf("a", "three")}, Position(3)), IsOk());

  std::vector<std::string> values;
  for (const ReadRecord& record : ReadTopic(broker_->address(), "trips")) {
    EXPECT_EQ(record.headers, "sequence=1");
    values.push_back(record.value);
  }
  EXPECT_THAT(values, ::testing::UnorderedElementsAre("one", "two", "three"));
}

TEST_F(KafkaTopicTest, AbortsATransactionThatAKilledExporterLeftOpen) {
  ASSERT_THAT(broker_->CreateTopics("trips", 1), IsOk());
  LeaveTransactionOpen("trips");
  KafkaTopic topic = Topic("trips");
  const auto opened = topic.Open();
  ASSERT_THAT(opened, IsOk());
  EXPECT_EQ(opened->position.sequence(), 0u);
  ASSERT_THAT(topic.Write({RecordOf("a", "one")}, Position(1)), IsOk());
  EXPECT_THAT(ReadTopic(broker_->address(), "trips"),
              ElementsAre(Field(&ReadRecord::value, "one")));
}

TEST_F(KafkaTopicTest, FindsThePositionBehindManyTransactionsThatWereUndone) {
  ASSERT_THAT(broker_->CreateTopics("trips", 1), IsOk());
  KafkaTopic topic = Topic("trips");
  ASSERT_THAT(topic.Open(), IsOk());
  ASSERT_THAT(topic.Write({RecordOf("a", "one")}, Position(7)), IsOk());
  for (int i = 0; i < 20; ++i) {
    auto producer = exporter::MakeClient(RD_KAFKA_PRODUCER,
                                         {{"bootstrap.servers", broker_->address()},
                                          {"transactional.id", "ridestream-exporter.trips"}});
    ASSERT_THAT(producer, IsOk());
    rd_kafka_t* client = producer->get();
    ASSERT_THAT(exporter::ToStatus(rd_kafka_init_transactions(client, 10'000), "init"), IsOk());
    ASSERT_THAT(exporter::ToStatus(rd_kafka_begin_transaction(client), "begin"), IsOk());
    rd_kafka_topic_t* handle = rd_kafka_topic_new(client, "trips.position", nullptr);
    char value[] = "undone";
    ASSERT_EQ(rd_kafka_produce(handle, 0, RD_KAFKA_MSG_F_COPY, value, sizeof(value) - 1, nullptr, 0,
                               nullptr),
              0);
    rd_kafka_topic_destroy(handle);
    ASSERT_EQ(rd_kafka_flush(client, 10'000), RD_KAFKA_RESP_ERR_NO_ERROR);
    ASSERT_THAT(exporter::ToStatus(rd_kafka_abort_transaction(client, 10'000), "abort"), IsOk());
  }
  const auto opened = topic.Open();
  ASSERT_THAT(opened, IsOk());
  EXPECT_EQ(opened->position.sequence(), 7u);
}

TEST_F(KafkaTopicTest, RefusesTopicsInWhichEventsWouldBeLostOrDoubled) {
  EXPECT_THAT(Topic("nowhere").Open(), StatusIs(absl::StatusCode::kNotFound, "topic nowhere: "));

  ASSERT_THAT(broker_->CreateTopic("alone", 1), IsOk());
  EXPECT_THAT(Topic("alone").Open(),
              StatusIs(absl::StatusCode::kNotFound, "topic alone.position: "));

  ASSERT_THAT(broker_->CreateTopic("compacted", 1, {"cleanup.policy=compact"}), IsOk());
  ASSERT_THAT(broker_->CreateTopic("compacted.position", 1, {"cleanup.policy=compact"}), IsOk());
  EXPECT_THAT(Topic("compacted").Open(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "topic compacted: cleanup.policy is compact and must be delete"));

  ASSERT_THAT(broker_->CreateTopic("alone.position", 1), IsOk());
  EXPECT_THAT(Topic("alone").Open(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "topic alone.position: cleanup.policy is delete and must be compact"));

  ASSERT_THAT(broker_->CreateTopic("split", 1), IsOk());
  ASSERT_THAT(broker_->CreateTopic("split.position", 2, {"cleanup.policy=compact"}), IsOk());
  EXPECT_THAT(Topic("split").Open(),
              StatusIs(absl::StatusCode::kFailedPrecondition, "has 2 partitions and must have 1"));
}

TEST_F(KafkaTopicTest, RefusesARecreatedTopicWithoutItsPosition) {
  ASSERT_THAT(broker_->CreateTopics("trips", 1), IsOk());
  KafkaTopic topic = Topic("trips");
  ASSERT_THAT(topic.Open(), IsOk());
  ASSERT_THAT(topic.Write({RecordOf("a", "one")}, Position(1)), IsOk());

  ASSERT_THAT(broker_->DeleteTopic("trips.position"), IsOk());
  ASSERT_THAT(broker_->CreateTopic("trips.position", 1, {"cleanup.policy=compact"}), IsOk());
  EXPECT_THAT(Topic("trips").Open(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "topic trips holds records, but trips.position holds none"));
}

TEST(KafkaSettingsTest, RefusesSettingsThatAreUnknownOrTheExportersOwn) {
  EXPECT_THAT(KafkaTopic::CheckSettings({{"security.protocol", "plaintext"}}), IsOk());
  EXPECT_THAT(KafkaTopic::CheckSettings({{"no.such.setting", "1"}}),
              StatusIs(absl::StatusCode::kInvalidArgument, "no.such.setting"));
  // metadata.broker.list is another name of bootstrap.servers.
  for (const char* own : {"enable.idempotence", "bootstrap.servers", "metadata.broker.list"}) {
    EXPECT_THAT(KafkaTopic::CheckSettings({{own, "false"}}),
                StatusIs(absl::StatusCode::kInvalidArgument, "is set by the exporter itself"))
        << own;
  }
}

TEST(KafkaSettingsTest, ReadsAFileAndNamesTheLineThatIsWrong) {
  const ridestream::testing::TempFolder folder;
  std::ofstream(folder.File("good"))
      << "# how to reach it\n\nsecurity.protocol=SSL\nsasl.password=a=b\n";
  const auto settings = exporter::ReadSettings(folder.File("good"));
  ASSERT_THAT(settings, IsOk());
  EXPECT_THAT(*settings, ElementsAre(::testing::Pair("sasl.password", "a=b"),
                                     ::testing::Pair("security.protocol", "SSL")));
  std::ofstream(folder.File("bad")) << "a=b\nnonsense\n";
  EXPECT_THAT(exporter::ReadSettings(folder.File("bad")),
              StatusIs(absl::StatusCode::kInvalidArgument, "bad:2: must be NAME=VALUE"));
  EXPECT_THAT(exporter::ReadSettings(folder.File("")),
              testing::StatusIs(absl::StatusCode::kInvalidArgument, "is a directory"));
  EXPECT_THAT(exporter::ReadSettings(folder.File("none")),
              StatusIs(absl::StatusCode::kInvalidArgument, "can't be read"));
}

}  // namespace
}  // namespace ridestream::kafka_tests
