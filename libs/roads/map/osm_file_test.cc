#include "libs/roads/map/osm_file.h"

#include <bzlib.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "libs/roads/city/city.h"
#include "libs/roads/testing/test_map.h"
#include "libs/testing/status_matchers.h"

namespace ridestream::roads {
namespace {

using ::ridestream::testing::IsOk;
using ::ridestream::testing::StatusIs;

class OsmFileTest : public ::testing::Test {
 protected:
  OsmFileTest()
      : folder_(std::filesystem::path(::testing::TempDir()) /
                fmt::format("osm_file_test.{}.{}", getpid(),
                            ::testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::filesystem::create_directories(folder_);
  }
  ~OsmFileTest() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const { return folder_ / name; }

  std::string WriteText(const std::string& name, const std::string& text) const {
    std::ofstream(Path(name), std::ios::binary) << text;
    return Path(name);
  }

  static absl::StatusOr<RoadGraph> ReadGraph(const std::string& path) {
    RoadGraphBuilder builder;
    if (const absl::Status read = ReadOsmFile(path, builder); !read.ok()) return read;
    return std::move(builder).Build();
  }

 private:
  const std::filesystem::path folder_;
};

void ExpectSame(const RoadGraph& a, const RoadGraph& b) {
  ASSERT_EQ(a.node_count(), b.node_count());
  ASSERT_EQ(a.edge_count(), b.edge_count());
  EXPECT_EQ(a.junction_count(), b.junction_count());
  for (NodeIndex node = 0; node < a.node_count(); ++node) {
    ASSERT_EQ(a.position(node), b.position(node));
  }
  for (EdgeIndex i = 0; i < a.edge_count(); ++i) {
    ASSERT_EQ(a.edge(i), b.edge(i));
    ASSERT_EQ(a.name(i), b.name(i));
  }
}

TEST_F(OsmFileTest, ReadsWhatItWritesInEveryFormat) {
  const OsmData city = MakeCity(11);
  RoadGraphBuilder builder;
  AddTo(builder, city);
  const auto expected = std::move(builder).Build();
  ASSERT_THAT(expected, IsOk());
  for (const char* name : {"city.osm.pbf", "city.osm", "city.osm.gz", "city.osm.bz2"}) {
    SCOPED_TRACE(name);
    ASSERT_THAT(WriteOsmFile(city, Path(name)), IsOk());
    const auto graph = ReadGraph(Path(name));
    ASSERT_THAT(graph, IsOk());
    ExpectSame(*graph, *expected);
  }
  EXPECT_THAT(WriteOsmFile(city, Path("city.osm")), StatusIs(absl::StatusCode::kAlreadyExists, ""));
}

TEST_F(OsmFileTest, WaysMayComeBeforeTheirNodes) {
  const auto graph = ReadGraph(WriteText("ways_first.osm", R"(<?xml version="1.0"?>
<osm version="0.6">
  <way id="1"><nd ref="1"/><nd ref="2"/><tag k="highway" v="primary"/><tag k="name" v="Rua Á"/></way>
  <node id="2" lat="41.151" lon="-8.61"/>
  <node id="1" lat="41.150" lon="-8.61"/>
  <node id="3" lat="10" lon="10"/>
</osm>)"));
  ASSERT_THAT(graph, IsOk());
  EXPECT_EQ(graph->edge_count(), 2U);
  EXPECT_EQ(graph->name(0), "Rua Á");
  EXPECT_EQ(graph->bounds().south_west, LatLng::FromDegrees(41.150, -8.61));
}

TEST_F(OsmFileTest, NamesAFileThatCantBeOpened) {
  EXPECT_THAT(ReadGraph(Path("missing.osm.pbf")),
              StatusIs(absl::StatusCode::kNotFound, "missing.osm.pbf: No such file"));
  EXPECT_THAT(ReadGraph(WriteText("roads.csv", "lat,lng\n")),
              StatusIs(absl::StatusCode::kInvalidArgument, "use .osm.pbf"));
  EXPECT_THAT(ReadGraph(WriteText("roads.osm.opl", "")),  // a format we don't read
              StatusIs(absl::StatusCode::kInvalidArgument, "use .osm.pbf"));
  EXPECT_THAT(ReadGraph("-"), StatusIs(absl::StatusCode::kInvalidArgument, "use .osm.pbf"));
  std::filesystem::create_directories(Path("folder.osm.pbf"));
  EXPECT_THAT(ReadGraph(Path("folder.osm.pbf")), StatusIs(absl::StatusCode::kDataLoss, ""));
}

TEST_F(OsmFileTest, DamagedFilesAreRefused) {
  EXPECT_THAT(ReadGraph(WriteText("garbage.osm.pbf", std::string(5000, 'x'))),
              StatusIs(absl::StatusCode::kDataLoss, "garbage.osm.pbf"));
  EXPECT_THAT(ReadGraph(WriteText("garbage.osm", "this is no XML")),
              StatusIs(absl::StatusCode::kDataLoss, "garbage.osm"));
  EXPECT_THAT(ReadGraph(WriteText("empty.osm", "")), StatusIs(absl::StatusCode::kDataLoss, ""));
  EXPECT_THAT(ReadGraph(WriteText("cut.osm", "<osm version=\"0.6\"><way id=\"1\"><nd re")),
              StatusIs(absl::StatusCode::kDataLoss, "cut.osm"));
  EXPECT_FALSE(ReadGraph(WriteText("empty.osm.pbf", "")).ok());
}

TEST_F(OsmFileTest, AFileThatIsCutOffAnywhereIsRefused) {
  ASSERT_THAT(WriteOsmFile(MakeCity(1), Path("whole.osm.pbf")), IsOk());
  std::ifstream file(Path("whole.osm.pbf"), std::ios::binary);
  const std::string whole{std::istreambuf_iterator<char>(file), {}};
  for (const double part : {0.001, 0.1, 0.5, 0.9, 0.999}) {
    const auto size = static_cast<std::size_t>(static_cast<double>(whole.size()) * part);
    EXPECT_THAT(ReadGraph(WriteText("cut.osm.pbf", whole.substr(0, size))),
                StatusIs(absl::StatusCode::kDataLoss, "cut.osm.pbf"))
        << size << " of " << whole.size() << " bytes";
  }
}

constexpr char kStreet[] =
    R"(<node id="1" version="1" lat="50.0" lon="8.0"/><node id="2" version="1" lat="50.0" lon="8.01"/>
       <way id="3" version="1"><nd ref="1"/><nd ref="2"/><tag k="highway" v="residential"/></way>)";

TEST_F(OsmFileTest, RejectsHistoryAndChangeFilesWithTheReason) {
  const std::string osm = fmt::format("<osm version=\"0.6\">{}</osm>", kStreet);
  EXPECT_THAT(ReadGraph(WriteText("city.osh", osm)),
              StatusIs(absl::StatusCode::kInvalidArgument, "is a history or change file"));
  EXPECT_THAT(ReadGraph(WriteText("city.osc", fmt::format("<osmChange version=\"0.6\"><create>{}"
                                                          "</create></osmChange>",
                                                          kStreet))),
              StatusIs(absl::StatusCode::kInvalidArgument, "apply-changes"));
  // By its content, whatever its name.
  EXPECT_THAT(ReadGraph(WriteText("city.osm", fmt::format("<osmChange version=\"0.6\"><create>{}"
                                                          "</create></osmChange>",
                                                          kStreet))),
              StatusIs(absl::StatusCode::kInvalidArgument, "is a history or change file"));
}

TEST_F(OsmFileTest, DeletedObjectsAreSkipped) {
  const auto graph = ReadGraph(WriteText("deleted.osm", fmt::format(R"(<osm version="0.6">{}
        <node id="4" version="2" visible="false" lat="50.1" lon="8.0"/>
        <way id="5" version="2" visible="false"><nd ref="1"/><nd ref="4"/><nd ref="2"/>
          <tag k="highway" v="residential"/></way></osm>)",
                                                                    kStreet)));
  ASSERT_THAT(graph, IsOk());
  EXPECT_EQ(graph->edge_count(), 2u);
}

TEST_F(OsmFileTest, PositionsMayBeStoredOnTheWays) {
  const auto graph = ReadGraph(WriteText("on_ways.osm", R"(<osm version="0.6">
      <way id="3" version="1"><nd ref="1" lat="50.0" lon="8.0"/><nd ref="2" lat="50.0" lon="8.01"/>
        <tag k="highway" v="residential"/></way></osm>)"));
  ASSERT_THAT(graph, IsOk());
  EXPECT_EQ(graph->position(0), LatLng::FromDegrees(50.0, 8.0));
}

TEST_F(OsmFileTest, AByteOrderMarkIsSkipped) {
  EXPECT_THAT(ReadGraph(WriteText("mark.osm", fmt::format("\xEF\xBB\xBF<?xml version=\"1.0\"?><osm "
                                                          "version=\"0.6\">{}</osm>",
                                                          kStreet))),
              IsOk());
}

/// The text in this many gzip members, one behind the other, as `pigz`, `bgzip` and `cat` make
/// them.
std::string InGzipMembers(const std::string& text, std::size_t members) {
  std::string file;
  for (std::size_t i = 0; i < members; ++i) {
    std::string part = text.substr(text.size() * i / members,
                                   text.size() * (i + 1) / members - text.size() * i / members);
    z_stream stream{};
    constexpr int kGzip = 16;
    EXPECT_EQ(deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, MAX_WBITS + kGzip, 8, 0), Z_OK);
    std::string out(deflateBound(&stream, part.size()), 0);
    stream.next_in = reinterpret_cast<Bytef*>(part.data());
    stream.avail_in = static_cast<uInt>(part.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
    file += out.substr(0, stream.total_out);
    deflateEnd(&stream);
  }
  return file;
}

/// The same in bzip2 streams, as `pbzip2` and `cat` make them.
std::string InBzip2Streams(const std::string& text, std::size_t streams) {
  std::string file;
  for (std::size_t i = 0; i < streams; ++i) {
    std::string part = text.substr(text.size() * i / streams,
                                   text.size() * (i + 1) / streams - text.size() * i / streams);
    std::string out(part.size() + part.size() / 50 + 600, 0);
    auto size = static_cast<unsigned>(out.size());
    EXPECT_EQ(BZ2_bzBuffToBuffCompress(out.data(), &size, part.data(),
                                       static_cast<unsigned>(part.size()), 1, 0, 0),
              BZ_OK);
    file += out.substr(0, size);
  }
  return file;
}

TEST_F(OsmFileTest, CompressedInSeveralStreamsIsReadToItsEnd) {
  const OsmData city = MakeCity(11);
  ASSERT_THAT(WriteOsmFile(city, Path("city.osm")), IsOk());
  std::ifstream file(Path("city.osm"), std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto expected = ReadGraph(Path("city.osm"));
  ASSERT_THAT(expected, IsOk());
  // Many small streams, so that stream ends occur at all positions of a read buffer.
  for (const std::size_t streams : {1, 2, 3, 50, 1'000}) {
    SCOPED_TRACE(streams);
    const auto gzip = ReadGraph(WriteText("city.osm.gz", InGzipMembers(text, streams)));
    ASSERT_THAT(gzip, IsOk());
    ExpectSame(*gzip, *expected);
    const auto bzip2 = ReadGraph(WriteText("city.osm.bz2", InBzip2Streams(text, streams)));
    ASSERT_THAT(bzip2, IsOk());
    ExpectSame(*bzip2, *expected);
  }
  // Everything within one read buffer, and empty streams.
  const std::string osm = fmt::format("<osm version=\"0.6\">{}</osm>", kStreet);
  for (const std::size_t streams : {1, 2, 7}) {
    SCOPED_TRACE(streams);
    EXPECT_THAT(ReadGraph(WriteText("small.osm.gz", InGzipMembers(osm, streams))), IsOk());
    EXPECT_THAT(ReadGraph(WriteText("small.osm.bz2", InBzip2Streams(osm, streams))), IsOk());
  }
  EXPECT_THAT(ReadGraph(WriteText("small.osm.gz", InGzipMembers("", 1) + InGzipMembers(osm, 1) +
                                                      InGzipMembers("", 1))),
              IsOk());
  EXPECT_THAT(ReadGraph(WriteText("small.osm.bz2", InBzip2Streams("", 1) + InBzip2Streams(osm, 1) +
                                                       InBzip2Streams("", 1))),
              IsOk());
}

TEST_F(OsmFileTest, ACompressedFileThatIsCutOffIsRefused) {
  const std::string osm = fmt::format("<osm version=\"0.6\">{}</osm>", kStreet);
  const std::string gzip = InGzipMembers(osm, 2);
  const std::string bzip2 = InBzip2Streams(osm, 2);
  for (const double part : {0.01, 0.3, 0.5, 0.7, 0.99}) {
    const auto cut = [&](const std::string& whole) {
      return whole.substr(0, static_cast<std::size_t>(static_cast<double>(whole.size()) * part));
    };
    SCOPED_TRACE(part);
    EXPECT_THAT(ReadGraph(WriteText("cut.osm.gz", cut(gzip))),
                StatusIs(absl::StatusCode::kDataLoss, "cut.osm.gz"));
    EXPECT_THAT(ReadGraph(WriteText("cut.osm.bz2", cut(bzip2))),
                StatusIs(absl::StatusCode::kDataLoss, "cut.osm.bz2"));
  }
  EXPECT_THAT(ReadGraph(WriteText("plain.osm.gz", osm)),
              ::testing::AnyOf(IsOk(), StatusIs(absl::StatusCode::kDataLoss, "plain.osm.gz")));
  EXPECT_THAT(ReadGraph(WriteText("plain.osm.bz2", osm)),
              StatusIs(absl::StatusCode::kDataLoss, "plain.osm.bz2"));
}

TEST_F(OsmFileTest, AnExtractWithoutStreetsIsRefused) {
  EXPECT_THAT(ReadGraph(WriteText("sea.osm", "<?xml version='1.0'?><osm version=\"0.6\"></osm>")),
              StatusIs(absl::StatusCode::kFailedPrecondition, "no drivable street"));
}

}  // namespace
}  // namespace ridestream::roads
