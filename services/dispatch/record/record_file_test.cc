#include "services/dispatch/record/record_file.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_folder.h"
#include "services/dispatch/record/event_recorder.h"
#include "services/dispatch/record/record_reader.h"

namespace ridestream::dispatch {
namespace {

using ridestream::testing::IsOk;
using ridestream::testing::StatusIs;
using ::testing::ElementsAre;

constexpr std::uint64_t kNoLimit = std::uint64_t{1} << 40;

record::Header HeaderOf(const std::string& market) {
  record::Header header;
  header.set_market(market);
  header.set_roads_fingerprint(42);
  return header;
}

/// A batch of entries at these times.
std::string BatchOf(const std::vector<std::int64_t>& times) {
  std::string batch;
  for (const std::int64_t at : times) {
    record::Record record;
    record.mutable_entry()->set_at(at);
    record.mutable_entry()->mutable_event()->mutable_wake();
    AppendDelimited(record, batch);
  }
  return batch;
}

std::string ReadBytes(const std::string& path) {
  std::ostringstream bytes;
  bytes << std::ifstream(path, std::ios::binary).rdbuf();
  return bytes.str();
}

void WriteBytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

class RecordFileTest : public ::testing::Test {
 protected:
  std::unique_ptr<RecordFile> Create(std::uint64_t limit = kNoLimit,
                                     const std::string& market = "city") {
    auto file = RecordFile::Create(folder_.File("records"), HeaderOf(market), limit);
    EXPECT_THAT(file, IsOk());
    return file.ok() ? *std::move(file) : nullptr;
  }
  /// The times of all entries, as far as they can be read.
  absl::StatusOr<std::vector<std::int64_t>> Read(const std::string& path, bool* torn = nullptr) {
    const auto reader = RecordReader::Open(path);
    if (!reader.ok()) return reader.status();
    std::vector<std::int64_t> times;
    while (true) {
      const auto record = (*reader)->Next();
      if (!record.ok()) return record.status();
      if (!*record) break;
      times.push_back((*record)->entry().at());
    }
    if (torn != nullptr) *torn = (*reader)->torn();
    return times;
  }

  const testing::TempFolder folder_;
};

TEST_F(RecordFileTest, IsReadAsItWasWritten) {
  const auto file = Create();
  ASSERT_THAT(file->Write(BatchOf({1, 2})), IsOk());
  ASSERT_THAT(file->Write(BatchOf({3})), IsOk());
  EXPECT_EQ(file->bytes(), std::filesystem::file_size(file->path()));
  const auto reader = RecordReader::Open(file->path());
  ASSERT_THAT(reader, IsOk());
  EXPECT_EQ((*reader)->header().market(), "city");
  EXPECT_EQ((*reader)->header().format(), kRecordFormat);
  EXPECT_EQ((*reader)->header().roads_fingerprint(), 42u);
  bool torn = true;
  const auto times = Read(file->path(), &torn);
  ASSERT_THAT(times, IsOk());
  EXPECT_THAT(*times, ElementsAre(1, 2, 3));
  EXPECT_FALSE(torn);
}

TEST_F(RecordFileTest, IsReadToItsLastWholeBatchWhereverAKillTearsIt) {
  const auto file = Create();
  ASSERT_THAT(file->Write(BatchOf({1, 2})), IsOk());
  const std::uint64_t whole = file->bytes();
  ASSERT_THAT(file->Write(BatchOf({3, 4, 5})), IsOk());
  const std::string bytes = ReadBytes(file->path());
  for (std::size_t length = whole; length < bytes.size(); ++length) {
    SCOPED_TRACE(length);
    const std::string path = folder_.File("torn");
    WriteBytes(path, bytes.substr(0, length));
    bool torn = false;
    const auto times = Read(path, &torn);
    ASSERT_THAT(times, IsOk());
    EXPECT_THAT(*times, ElementsAre(1, 2));
    EXPECT_EQ(torn, length > whole);
  }
}

TEST_F(RecordFileTest, NamesTheDamagedBatch) {
  const auto file = Create();
  ASSERT_THAT(file->Write(BatchOf({1, 2})), IsOk());
  const std::uint64_t whole = file->bytes();
  ASSERT_THAT(file->Write(BatchOf({3, 4, 5})), IsOk());
  std::string bytes = ReadBytes(file->path());
  bytes[whole] ^= 0x7f;  // The magic number of a member.
  WriteBytes(folder_.File("damaged"), bytes);
  EXPECT_THAT(
      Read(folder_.File("damaged")),
      StatusIs(absl::StatusCode::kDataLoss, "the batch after 2 whole ones is not what gzip"));
}

TEST_F(RecordFileTest, RejectsAFileThatIsNotARecord) {
  EXPECT_THAT(Read(folder_.File("missing")), StatusIs(absl::StatusCode::kNotFound, "missing"));
  WriteBytes(folder_.File("text"), "a text");
  EXPECT_THAT(Read(folder_.File("text")),
              StatusIs(absl::StatusCode::kInvalidArgument, "isn't a record"));
}

TEST_F(RecordFileTest, RejectsAnotherFormatWithItsReason) {
  // A record of another format is a record whose header says so.
  record::Record header;
  *header.mutable_header() = HeaderOf("city");
  header.mutable_header()->set_format(kRecordFormat - 1);
  std::string batch;
  AppendDelimited(header, batch);
  const auto file = Create();
  const std::uint64_t begin = file->bytes();
  ASSERT_THAT(file->Write(batch), IsOk());
  WriteBytes(folder_.File("old"), ReadBytes(file->path()).substr(begin));
  EXPECT_THAT(Read(folder_.File("old")),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       fmt::format("has format {}, but this version reads only format {}",
                                   kRecordFormat - 1, kRecordFormat)));
}

TEST_F(RecordFileTest, EachLifeHasAFileOfItsOwn) {
  const auto first = Create();
  const auto second = Create();
  const auto other = Create(kNoLimit, "porto");
  const auto of_city = ListRecords(folder_.File("records"), "city");
  ASSERT_THAT(of_city, IsOk());
  EXPECT_THAT(*of_city, ElementsAre(first->path(), second->path()));
  const auto of_all = ListRecords(folder_.File("records"), "");
  ASSERT_THAT(of_all, IsOk());
  EXPECT_THAT(*of_all, ElementsAre(first->path(), second->path(), other->path()));
  EXPECT_THAT(ListRecords(folder_.File("nowhere"), ""),
              StatusIs(absl::StatusCode::kNotFound, "nowhere"));
}

TEST_F(RecordFileTest, RemovesTheOldestRecordsOfItsMarketForTheLimit) {
  const auto other = Create(kNoLimit, "porto");
  std::vector<std::string> paths;
  std::uint64_t each = 0;
  for (int life = 0; life < 3; ++life) {
    const auto file = Create();
    ASSERT_THAT(file->Write(BatchOf({1, 2, 3})), IsOk());
    paths.push_back(file->path());
    each = file->bytes();
  }
  // Room for two and a half.
  const auto file = Create(each * 5 / 2);
  ASSERT_THAT(file->Write(BatchOf({1, 2, 3})), IsOk());
  EXPECT_FALSE(std::filesystem::exists(paths[0]));
  EXPECT_FALSE(std::filesystem::exists(paths[1]));
  EXPECT_TRUE(std::filesystem::exists(paths[2]));
  EXPECT_TRUE(std::filesystem::exists(other->path()));
}

TEST_F(RecordFileTest, EndsWhereItAloneReachesTheLimit) {
  const auto older = Create();
  const auto file = Create(older->bytes() + 10);
  EXPECT_THAT(file->Write(BatchOf({1, 2, 3})),
              StatusIs(absl::StatusCode::kResourceExhausted, "has reached the limit"));
  const auto times = Read(file->path());
  ASSERT_THAT(times, IsOk());
  EXPECT_THAT(*times, ElementsAre());
}

TEST_F(RecordFileTest, ReportsWhyAFolderCannotBeWritten) {
  WriteBytes(folder_.File("file"), "");
  EXPECT_THAT(RecordFile::Create(folder_.File("file"), HeaderOf("city"), kNoLimit),
              StatusIs(absl::StatusCode::kUnavailable, "can't be written"));
}

}  // namespace
}  // namespace ridestream::dispatch
