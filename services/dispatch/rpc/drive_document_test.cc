// docs/driver_client.md, on which the authors of clients rely, compared with the protos and the
// code.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "libs/base/validation.h"
#include "ridestream/dispatch/v1/dispatch.pb.h"
#include "services/dispatch/domain/market/market.h"
#include "services/dispatch/domain/session/drive_request_checks.h"
#include "services/dispatch/drive/drive_stream.h"
#include "services/dispatch/drive/session_registry.h"
#include "services/dispatch/rpc/drive_call.h"

namespace ridestream::dispatch {
namespace {

using ::testing::ContainerEq;

std::string ReadText(const std::string& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file) << path << ": run in the root of the repository";
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string Proto() { return ReadText("proto/ridestream/dispatch/v1/dispatch.proto"); }

/// The second cells of the rows of a section's tables by their first cells, without backticks.
std::map<std::string, std::string> RowsOf(const std::string& wanted_section,
                                          const std::string& wanted_header) {
  std::map<std::string, std::string> rows;
  std::string section, header;
  std::vector<std::string> lines = absl::StrSplit(ReadText("docs/driver_client.md"), '\n');
  for (std::string& line : lines) {
    if (line.starts_with("## ")) section = line.substr(3);
    if (!line.starts_with("|")) {
      header.clear();
      continue;
    }
    std::erase(line, '`');
    const std::vector<std::string> cells = absl::StrSplit(line, '|');
    const auto cell = [&](std::size_t i) {
      return std::string(absl::StripAsciiWhitespace(cells.at(i)));
    };
    if (header.empty()) {
      header = cell(1);
    } else if (section == wanted_section && header == wanted_header && !cell(1).starts_with("--")) {
      rows[cell(1)] = cell(2);
    }
  }
  EXPECT_FALSE(rows.empty()) << wanted_section;
  return rows;
}

std::set<std::string> KeysOf(const std::map<std::string, std::string>& rows) {
  std::set<std::string> keys;
  for (const auto& [key, value] : rows) keys.insert(key);
  return keys;
}

std::set<std::string> MembersOf(const google::protobuf::Descriptor& message) {
  std::set<std::string> names;
  const auto& oneof = *message.FindOneofByName("message");
  for (int i = 0; i < oneof.field_count(); ++i) names.insert(oneof.field(i)->name());
  return names;
}

/// What lies between the two texts.
std::string Between(const std::string& text, const std::string& begin, const std::string& end) {
  const std::size_t from = text.find(begin);
  const std::size_t to = text.find(end, from);
  EXPECT_NE(to, std::string::npos) << begin << " … " << end;
  return to == std::string::npos ? "" : text.substr(from, to - from);
}

std::set<std::string> MatchesOf(const std::string& text, const std::regex& pattern) {
  std::set<std::string> matches;
  for (std::sregex_iterator it(text.begin(), text.end(), pattern), end; it != end; ++it) {
    matches.insert((*it)[1]);
  }
  return matches;
}

TEST(DriveDocumentTest, NamesEachMessage) {
  EXPECT_THAT(KeysOf(RowsOf("What the driver is pushed", "message")),
              ContainerEq(MembersOf(*v1::DriveResponse::descriptor())));
  EXPECT_THAT(KeysOf(RowsOf("What the driver sends", "message")),
              ContainerEq(MembersOf(*v1::DriveRequest::descriptor())));
}

TEST(DriveDocumentTest, NamesTheStatusesThatTheProtoLists) {
  const std::string listed = Between(Proto(), "  // Errors:\n", "  rpc Drive(");
  std::set<std::string> statuses =
      MatchesOf(listed, std::regex(R"((?:\* |\. )([A-Z]+_?[A-Z]+)[:,] )"));
  statuses.insert("OK");
  EXPECT_THAT(KeysOf(RowsOf("When the stream ends", "status")), ContainerEq(statuses));
}

TEST(DriveDocumentTest, NamesTheCodesOfRejectedCommandsThatTheProtoLists) {
  const google::protobuf::EnumDescriptor& listed = *v1::RejectionCode_descriptor();
  std::set<std::string> codes;
  for (int i = 0; i < listed.value_count(); ++i) {
    const google::protobuf::EnumValueDescriptor& value = *listed.value(i);
    if (value.number() == v1::REJECTION_CODE_UNSPECIFIED) continue;
    const auto code = static_cast<absl::StatusCode>(value.number());
    EXPECT_EQ(value.name(), "REJECTION_CODE_" + absl::StatusCodeToString(code))
        << "the same number";
    codes.insert(absl::StatusCodeToString(code));
  }
  EXPECT_THAT(KeysOf(RowsOf("What the driver sends", "code")), ContainerEq(codes));
}

/// "20,000".
std::string Grouped(std::size_t number) {
  std::string text = std::to_string(number);
  for (std::size_t i = text.size(); i > 3; i -= 3) text.insert(i - 3, ",");
  return text;
}

std::string Seconds(Duration duration) {
  return fmt::format("{:g}", std::chrono::duration<double>(duration).count());
}

TEST(DriveDocumentTest, GivesTheLimitsOfTheCode) {
  const RegistryConfig config;
  std::map<std::string, std::string> rows = RowsOf("Limits", "what");
  const std::pair<const char*, std::string> limits[] = {
      {"a message", Grouped(kMaxDriveRequestBytes) + " bytes"},
      {"an id", Grouped(kMaxIdBytes) + " bytes"},
      {"Hello.name, Vehicle.model", Grouped(kMaxNameCharacters) + " characters"},
      {"Vehicle.plate", Grouped(kMaxPlateCharacters) + " characters"},
      {"GiveUp.reason", Grouped(kMaxTextCharacters) + " characters"},
      {"Hello.seats", Grouped(kMaxSeats) + " seats"},
      {"the first message", Seconds(config.hello_within) + " seconds"},
      {"positions", fmt::format("{:g} a second", config.session.max_positions_per_s)},
      {"commands", fmt::format("{:g} a second", config.session.max_commands_per_s)},
      {"unacked pushes", Grouped(config.session.max_unacked) + " pushes"},
      {"a stream that ends while the driver reads nothing",
       Seconds(config.end_within) + " seconds"},
      {"sessions", Grouped(config.max_sessions) + " sessions"},
      {"sessions of one address", "half of all"},
  };
  for (const auto& [what, limit] : limits) {
    EXPECT_TRUE(rows[what].starts_with(limit)) << what << ": " << rows[what] << ", not " << limit;
  }
  EXPECT_EQ(rows.size(), std::size(limits)) << "each row is compared";
}

TEST(DriveDocumentTest, GivesTheTimelineOfSilence) {
  const SessionConfig session;
  const std::set<std::string> times = {
      Seconds(session.heartbeat()) + " s", Seconds(session.suspect_after) + " s",
      Seconds(session.suspect_after + MarketConfig().lost_after) + " s",
      Seconds(DriverSession::kSilentGraces * session.suspect_after) + " s",
      Seconds(session.drop_after) + " s"};
  EXPECT_THAT(KeysOf(RowsOf("Silence", "after")), ContainerEq(times));
}

}  // namespace
}  // namespace ridestream::dispatch
