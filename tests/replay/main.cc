// ./ride replay: runs dispatch's market on a record of it.

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/flags/usage_config.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/time/time.h"
#include "libs/roads/engine/prepared_file.h"
#include "libs/roads/streets.h"
#include "services/dispatch/record/event_recorder.h"
#include "services/dispatch/record/record_codec.h"
#include "services/dispatch/record/record_file.h"
#include "services/dispatch/record/record_reader.h"
#include "tests/replay/describe.h"
#include "tests/replay/outcome.h"
#include "tests/replay/record_replay.h"
#include "tests/replay/reduce.h"
#include "tests/replay/what_if.h"

ABSL_FLAG(std::string, market, "",
          "Market whose record to replay. Empty: that of the newest record");
ABSL_FLAG(absl::Time, until, absl::InfiniteFuture(),
          "Stop before the first event after this time of the city, such as 2026-11-29T03:10:00Z");
ABSL_FLAG(bool, trace, false, "Print each event and what was decided");
ABSL_FLAG(std::vector<std::string>, what_if, {},
          "Flags of dispatch with other values, such as matching=nearest: compares the recorded "
          "settings with these in a simulated city of the recorded riders and drivers");
ABSL_FLAG(std::string, roads, "",
          "With --what_if: the streets that dispatch had, city:SEED or an OpenStreetMap file");
ABSL_FLAG(
    bool, reduce, false,
    "Reduce the record to a short sequence of events that breaks the same invariant, and write "
    "it to --out");
ABSL_FLAG(std::uint64_t, max_replays, 10'000,
          "With --reduce: stop reducing after this many replays");
ABSL_FLAG(std::string, out, "reduced", "With --reduce: folder for the reduced record");

namespace ridestream::replay {
namespace {

constexpr char kUsage[] =
    R"(Runs dispatch's market over a record that dispatch --record=FOLDER wrote, and compares its decisions
with the recorded ones.

  replay FOLDER           the newest record in the folder
  replay FILE --trace     that record, with each event and decision
  replay FILE --what_if=matching=nearest --roads=porto.osm.pbf
                          what another setting would have led to
  replay FILE --reduce    the shortest sequence of its events that breaks the same invariant

Exit status: 0 if all decisions are equal and no invariant was broken, or if --reduce found a sequence;
1 if not; 2 if a flag or a file is wrong.)";

constexpr int kUsageError = 2;
constexpr std::uint64_t kReducedLimit = std::uint64_t{1} << 30;

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "replay: %s\n", std::string(status.message()).c_str());
  return kUsageError;
}

void Print(const std::string& line) { std::printf("%s\n", line.c_str()); }

absl::StatusOr<std::string> FindRecord(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_directory(path, error)) return path;
  const std::string market = absl::GetFlag(FLAGS_market);
  const auto records = dispatch::ListRecords(path, market);
  if (!records.ok()) return records.status();
  if (records->empty()) {
    return absl::NotFoundError(fmt::format("{}: has no record{}", path,
                                           market.empty() ? "" : fmt::format(" of '{}'", market)));
  }
  // Records are numbered per market, so the newest is found by its file's time.
  std::string newest = records->back();
  for (const std::string& record : *records) {
    if (std::filesystem::last_write_time(record, error) >
        std::filesystem::last_write_time(newest, error)) {
      newest = record;
    }
  }
  return newest;
}

/// Reads to --until, to the end or to the first gap, whichever comes first.
class Input {
 public:
  static absl::StatusOr<Input> Open(const std::string& path) {
    auto reader = dispatch::RecordReader::Open(path);
    if (!reader.ok()) return reader.status();
    return Input(*std::move(reader));
  }

  const dispatch::record::Header& header() const { return reader_->header(); }
  absl::StatusOr<std::optional<dispatch::record::Entry>> Next() {
    auto record = reader_->Next();
    if (!record.ok()) return record.status();
    if (!*record) {
      if (reader_->torn()) note_ = "the last batch is torn and was left out";
      return std::nullopt;
    }
    if ((*record)->has_gap()) {
      note_ =
          fmt::format("stops at a gap: dispatch dropped {} events here", (*record)->gap().events());
      return std::nullopt;
    }
    if (!(*record)->has_entry()) return absl::DataLossError("damaged: a header inside the record");
    if (absl::FromUnixMicros((*record)->entry().at()) > absl::GetFlag(FLAGS_until)) {
      note_ = "stops at --until";
      return std::nullopt;
    }
    return std::move(*(*record)->mutable_entry());
  }
  /// After the last: why it was the last, if not by the record's end.
  const std::string& note() const { return note_; }

 private:
  explicit Input(std::unique_ptr<dispatch::RecordReader> reader) : reader_(std::move(reader)) {}

  std::unique_ptr<dispatch::RecordReader> reader_;
  std::string note_;
};

void PrintStep(const RecordReplay::Step& step, const dispatch::record::Entry& entry) {
  Print(fmt::format("{:%FT%T} {}{}", step.at, entry.event().ShortDebugString(),
                    step.equal ? "" : "   DIFFERS"));
  for (const dispatch::Decision& decision : step.decisions) Print("    " + Describe(decision));
}

absl::StatusOr<bool> Replay(const std::string& path) {
  auto input = Input::Open(path);
  if (!input.ok()) return input.status();
  const auto replay = RecordReplay::Start(input->header());
  if (!replay.ok()) return replay.status();
  Print(fmt::format("{}: market {}, {}", path, input->header().market(), input->header().roads()));
  const InvariantWatch watch;
  const bool trace = absl::GetFlag(FLAGS_trace);
  std::uint64_t events = 0, decisions = 0, differing = 0, broken = 0;
  Outcome outcome;
  while (true) {
    const auto entry = input->Next();
    if (!entry.ok()) return entry.status();
    if (!*entry) break;
    const auto step = (*replay)->Handle(**entry);
    if (!step.ok()) return step.status();
    ++events;
    decisions += step->decisions.size();
    outcome.Note(step->event);
    if (trace) PrintStep(*step, **entry);
    if (!step->equal && ++differing == 1) {
      Print(fmt::format("DIFFERS first at event {}, {:%FT%T}: {}", events, step->at,
                        (*entry)->event().ShortDebugString()));
    }
    for (const BrokenInvariant& invariant : InvariantWatch::TakeBroken()) {
      ++broken;
      Print(fmt::format("BROKEN INVARIANT at event {}, {:%FT%T}: {} ({}:{})", events, step->at,
                        invariant.name, invariant.file, invariant.line));
    }
  }
  if (!input->note().empty()) Print(input->note());
  Print(fmt::format(
      "{} events, {} decisions: {}", events, decisions,
      differing == 0 ? "all as recorded" : fmt::format("after {} events they differ", differing)));
  Print(
      fmt::format("{} requests: {} completed, {} unserved, {} cancelled; wait {:.0f} s on average, "
                  "{:.0f} s at the 95th percentile",
                  outcome.requests(), outcome.completed(), outcome.unserved(), outcome.cancelled(),
                  outcome.wait_mean_s(), outcome.wait_p95_s()));
  return differing == 0 && broken == 0;
}

absl::StatusOr<std::unique_ptr<roads::Streets>> LoadRecordedStreets(
    const dispatch::record::Header& header) {
  const std::string spec = absl::GetFlag(FLAGS_roads);
  if (spec.empty()) {
    return absl::InvalidArgumentError(
        fmt::format("--what_if: needs --roads, the streets of the record: {}", header.roads()));
  }
  auto streets = roads::Streets::Load(spec);
  if (!streets.ok()) return streets.status();
  if (roads::Fingerprint((*streets)->graph()) != header.roads_fingerprint()) {
    return absl::FailedPreconditionError(
        fmt::format("--roads={}: {} are not the streets of the record, which were {}", spec,
                    (*streets)->description(), header.roads()));
  }
  return streets;
}

void PrintRow(const std::string& name, const std::string& recorded, const std::string& simulated,
              const std::string& changed) {
  Print(fmt::format("{:<28}{:>12}{:>14}{:>12}", name, recorded, simulated, changed));
}

void PrintComparison(const Outcome& recorded, const bench::CityResult& simulated,
                     const bench::CityResult& changed) {
  const auto count = [](auto number) { return fmt::format("{}", number); };
  const auto tenths = [](double number) { return fmt::format("{:.1f}", number); };
  PrintRow("", "recorded", "simulated", "what if");
  PrintRow("requests", count(recorded.requests()), count(simulated.requests - simulated.refused),
           count(changed.requests - changed.refused));
  PrintRow("served", count(recorded.completed()), count(simulated.served), count(changed.served));
  PrintRow("wait, mean, s", tenths(recorded.wait_mean_s()), tenths(simulated.wait_mean_s),
           tenths(changed.wait_mean_s));
  PrintRow("wait, 95th percentile, s", tenths(recorded.wait_p95_s()), tenths(simulated.wait_p95_s),
           tenths(changed.wait_p95_s));
  PrintRow("km driven for each rider", "-", tenths(simulated.km_per_rider),
           tenths(changed.km_per_rider));
}

absl::Status WhatIf(const std::string& path) {
  auto input = Input::Open(path);
  if (!input.ok()) return input.status();
  auto config = dispatch::Decode(input->header().settings());
  if (!config.ok()) return config.status();
  config->market = MarketId(input->header().market());
  dispatch::MarketConfig changed = *config;
  if (absl::Status status = Change(absl::GetFlag(FLAGS_what_if), changed); !status.ok()) {
    return status;
  }
  const auto streets = LoadRecordedStreets(input->header());
  if (!streets.ok()) return streets.status();
  Outcome outcome;
  Participants participants;
  while (true) {
    const auto entry = input->Next();
    if (!entry.ok()) return entry.status();
    if (!*entry) break;
    const auto event = dispatch::Decode((*entry)->event());
    if (!event.ok()) return event.status();
    outcome.Note(*event);
    participants.Note(*event, Time(Duration((*entry)->at())));
  }
  if (!input->note().empty()) Print(input->note());
  const auto run = [&](const dispatch::MarketConfig& settings) {
    return bench::VirtualCity(participants.City(settings), **streets).Run();
  };
  Print(fmt::format("{} drivers, {} requests", participants.drivers(), participants.requests()));
  PrintComparison(outcome, run(*config), run(changed));
  return absl::OkStatus();
}

absl::Status WriteReduced(const dispatch::record::Header& header, const Reduction& reduction) {
  auto file = dispatch::RecordFile::Create(absl::GetFlag(FLAGS_out), header, kReducedLimit);
  if (!file.ok()) return file.status();
  std::string batch;
  for (const dispatch::record::Entry& entry : reduction.entries) {
    dispatch::record::Record record;
    *record.mutable_entry() = entry;
    dispatch::AppendDelimited(record, batch);
  }
  if (absl::Status status = (*file)->Write(batch); !status.ok()) return status;
  Print("written to " + (*file)->path());
  return absl::OkStatus();
}

absl::StatusOr<bool> ReduceRecord(const std::string& path) {
  auto input = Input::Open(path);
  if (!input.ok()) return input.status();
  std::vector<dispatch::record::Entry> entries;
  while (true) {
    auto entry = input->Next();
    if (!entry.ok()) return entry.status();
    if (!*entry) break;
    entries.push_back(**std::move(entry));
  }
  const InvariantWatch watch;
  const auto reduction = Reduce(input->header(), entries, absl::GetFlag(FLAGS_max_replays));
  if (!reduction.ok()) return reduction.status();
  if (!*reduction) {
    Print(fmt::format("{} events break no invariant", entries.size()));
    return false;
  }
  const BrokenInvariant& broken = (*reduction)->broken;
  Print(fmt::format("{} of {} events, after {} replays, break: {} ({}:{})",
                    (*reduction)->entries.size(), entries.size(), (*reduction)->replays,
                    broken.name, broken.file, broken.line));
  for (const dispatch::record::Entry& entry : (*reduction)->entries) {
    Print(fmt::format("{:%FT%T} {}", Time(Duration(entry.at())), entry.event().ShortDebugString()));
  }
  if (absl::Status status = WriteReduced(input->header(), **reduction); !status.ok()) return status;
  return true;
}

int Main(const std::vector<char*>& arguments) {
  if (arguments.size() != 2) {
    return Fail(absl::InvalidArgumentError("needs one folder or file; see --help"));
  }
  const auto path = FindRecord(arguments[1]);
  if (!path.ok()) return Fail(path.status());
  if (!absl::GetFlag(FLAGS_what_if).empty()) {
    const absl::Status status = WhatIf(*path);
    return status.ok() ? 0 : Fail(status);
  }
  const auto as_wished = absl::GetFlag(FLAGS_reduce) ? ReduceRecord(*path) : Replay(*path);
  if (!as_wished.ok()) return Fail(as_wished.status());
  return *as_wished ? 0 : 1;
}

}  // namespace
}  // namespace ridestream::replay

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage(ridestream::replay::kUsage);
  absl::FlagsUsageConfig config;
  // By default --help shows the flags of a file that is called as the program.
  config.contains_help_flags = [](absl::string_view file) {
    return absl::StrContains(file, "tests/replay/");
  };
  absl::SetFlagsUsageConfig(config);
  return ridestream::replay::Main(absl::ParseCommandLine(argc, argv));
}
