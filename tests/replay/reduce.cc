#include "tests/replay/reduce.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "tests/replay/record_replay.h"

namespace ridestream::replay {
namespace {

struct FirstBreak {
  BrokenInvariant broken{};
  /// Entries up to the break, with the one that broke it.
  std::size_t entries = 0;
};

bool IsSame(const BrokenInvariant& a, const BrokenInvariant& b) {
  return a.file == b.file && a.line == b.line;
}

/// Where the sequence breaks `wanted`, or any invariant if that is null.
absl::StatusOr<std::optional<FirstBreak>> FindBreak(
    const dispatch::record::Header& header, const std::vector<dispatch::record::Entry>& entries,
    const Subset& subset, const BrokenInvariant* wanted) {
  InvariantWatch::TakeBroken();
  const auto replay = RecordReplay::Start(header);
  if (!replay.ok()) return replay.status();
  for (std::size_t i = 0; i < subset.size(); ++i) {
    const auto step = (*replay)->Handle(entries[subset[i]]);
    if (!step.ok()) return step.status();
    for (const BrokenInvariant& broken : InvariantWatch::TakeBroken()) {
      if (wanted == nullptr || IsSame(broken, *wanted)) return FirstBreak{broken, i + 1};
    }
  }
  return std::nullopt;
}

Subset AllOf(std::size_t count) {
  Subset all(count);
  std::iota(all.begin(), all.end(), 0);
  return all;
}

}  // namespace

Subset Minimize(std::size_t count, const std::function<bool(const Subset&)>& fails,
                std::uint64_t max_calls) {
  Subset shortest = AllOf(count);
  std::uint64_t calls = 0;
  for (std::size_t piece = (count + 1) / 2; piece > 0 && !shortest.empty();) {
    bool shortened = false;
    for (std::size_t begin = 0; begin < shortest.size();) {
      if (calls++ >= max_calls) return shortest;
      const std::size_t end = std::min(begin + piece, shortest.size());
      Subset without(shortest.begin(), shortest.begin() + static_cast<std::ptrdiff_t>(begin));
      without.insert(without.end(), shortest.begin() + static_cast<std::ptrdiff_t>(end),
                     shortest.end());
      if (fails(without)) {
        shortest = std::move(without);  // What follows the piece is at its place now.
        shortened = true;
      } else {
        begin = end;
      }
    }
    // Single items are tried again until none can be left out.
    if (piece > 1) {
      piece = (piece + 1) / 2;
    } else if (!shortened) {
      break;
    }
  }
  return shortest;
}

absl::StatusOr<std::optional<Reduction>> Reduce(const dispatch::record::Header& header,
                                                const std::vector<dispatch::record::Entry>& entries,
                                                std::uint64_t max_replays) {
  const auto first = FindBreak(header, entries, AllOf(entries.size()), nullptr);
  if (!first.ok()) return first.status();
  if (!*first) return std::nullopt;
  Reduction reduction{.broken = (*first)->broken, .entries = {}, .replays = 1};
  const auto fails = [&](const Subset& subset) {
    ++reduction.replays;
    const auto found = FindBreak(header, entries, subset, &reduction.broken);
    // Each entry was replayed before, so none is unknown.
    return found.ok() && found->has_value();
  };
  for (const std::size_t index : Minimize((*first)->entries, fails, max_replays)) {
    reduction.entries.push_back(entries[index]);
  }
  return reduction;
}

}  // namespace ridestream::replay
