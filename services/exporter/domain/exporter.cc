#include "services/exporter/domain/exporter.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

namespace ridestream::exporter {
namespace {

constexpr std::chrono::milliseconds kFirstPause{100};
constexpr std::chrono::milliseconds kLongestPause{5'000};

/// Whether trying again can't help.
bool IsFinal(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kPermissionDenied:
      return true;
    default:
      return false;
  }
}

}  // namespace

Exporter::Exporter(Options options, EventTopic& topic, EventLog& log, EventQueue& queue)
    : options_(std::move(options)), topic_(topic), log_(log), queue_(queue) {}

absl::StatusOr<std::chrono::nanoseconds> Exporter::Step(Instant now) {
  if (const absl::Status failure = queue_.failure(); !failure.ok()) return failure;
  const bool was_open = is_open_;
  const absl::Status status = was_open ? ExportWaiting() : Open();
  if (!status.ok()) return OnError(status, now);
  if (was_open) {  // A topic that can be opened may still refuse every write.
    failing_since_.reset();
    failures_in_a_row_ = 0;
  }
  return std::chrono::nanoseconds::zero();
}

absl::Status Exporter::Open() {
  const auto opened = topic_.Open();
  if (!opened.ok()) return opened.status();
  if (absl::Status status = CheckPosition(*opened); !status.ok()) return status;
  position_ = opened->position;
  position_.mutable_markets()->Assign(options_.markets.begin(), options_.markets.end());
  position_.set_partitions(opened->partitions);
  log_.Stop();
  queue_.Clear();
  log_.FollowAfter(position_.sequence());
  sequence_ = position_.sequence();
  is_open_ = true;
  options_.on_change(absl::OkStatus());
  return absl::OkStatus();
}

absl::Status Exporter::CheckPosition(const EventTopic::Opened& opened) const {
  const v1::ExportPosition& position = opened.position;
  if (position.sequence() == 0) return absl::OkStatus();
  if (!std::equal(position.markets().begin(), position.markets().end(), options_.markets.begin(),
                  options_.markets.end())) {
    return absl::FailedPreconditionError(fmt::format(
        "the topic holds the events of the markets {} up to sequence {}, but --markets asks for "
        "{}: "
        "earlier events of the others would be missing; export them to another topic",
        fmt::join(position.markets(), ","), position.sequence(), fmt::join(options_.markets, ",")));
  }
  if (position.partitions() != opened.partitions) {
    return absl::FailedPreconditionError(
        fmt::format("the topic had {} partitions up to sequence {} and has {} now: later events of "
                    "a trip would "
                    "be in another partition than earlier ones; export to another topic",
                    position.partitions(), position.sequence(), opened.partitions));
  }
  return absl::OkStatus();
}

absl::Status Exporter::ExportWaiting() {
  const std::vector<trip::v1::TripEvent> events = queue_.Front(options_.max_batch, options_.idle);
  v1::ExportPosition reached = position_;
  std::vector<Record> records;
  records.reserve(events.size());
  for (const trip::v1::TripEvent& event : events) {
    if (event.sequence() <= reached.sequence()) continue;  // The log repeats.
    records.push_back(ToRecord(event));
    reached.set_sequence(event.sequence());
  }
  if (!records.empty()) {
    if (absl::Status status = topic_.Write(records, reached); !status.ok()) return status;
    position_ = reached;
    sequence_ = reached.sequence();
    produced_ += records.size();
  }
  queue_.Remove(events.size());
  return absl::OkStatus();
}

absl::StatusOr<std::chrono::nanoseconds> Exporter::OnError(const absl::Status& status,
                                                           Instant now) {
  ++failures_;
  is_open_ = false;
  if (IsFinal(status)) return status;
  if (!failing_since_) failing_since_ = now;
  if (now - *failing_since_ >= options_.give_up_after) {
    return absl::Status(status.code(),
                        fmt::format("given up after {} tries: {}", failures_in_a_row_ + 1,
                                    std::string(status.message())));
  }
  options_.on_change(status);
  const auto pause = kFirstPause * (1 << std::min(failures_in_a_row_, 10));
  ++failures_in_a_row_;
  return std::min(pause, kLongestPause);
}

Exporter::Counts Exporter::counts() const {
  return {.produced = produced_, .failures = failures_, .position = sequence_, .is_open = is_open_};
}

}  // namespace ridestream::exporter
