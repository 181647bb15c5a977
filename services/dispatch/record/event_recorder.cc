#include "services/dispatch/record/event_recorder.h"

#include <google/protobuf/io/coded_stream.h>

#include <algorithm>
#include <array>
#include <utility>

#include "services/dispatch/domain/events/decision_bytes.h"
#include "services/dispatch/record/record_codec.h"

namespace ridestream::dispatch {

EventRecorder::EventRecorder(std::unique_ptr<MarketRunner::Observer> observer, Sink sink)
    : observer_(std::move(observer)), sink_(std::move(sink)) {}

StartDeadline EventRecorder::Watch(StartDeadline deadline) {
  return [this, deadline = std::move(deadline)] {
    const std::size_t round = stopped_after_.size();
    stopped_after_.push_back(0);
    return [this, round, rows = std::uint32_t{0}, out_of_time = deadline()]() mutable {
      if (!out_of_time()) {
        ++rows;
        return false;
      }
      stopped_after_[round] = rows + 1;
      return true;
    };
  };
}

void EventRecorder::Handling(const Event& event, Time now) {
  if (batch_.empty()) batch_began_ = now;
  record::Entry& entry = *record_.mutable_entry();
  entry.set_at(now.time_since_epoch().count());
  Encode(event, *entry.mutable_event());
  stopped_after_.clear();
  observer_->Handling(event, now);
}

void EventRecorder::Decided(const std::vector<Decision>& decisions) {
  decision_bytes_.clear();
  for (const Decision& decision : decisions) AppendBytes(decision, decision_bytes_);
  record::Entry& entry = *record_.mutable_entry();
  entry.set_decisions(static_cast<std::uint32_t>(decisions.size()));
  entry.set_checksum(Checksum(decision_bytes_));
  entry.clear_solver_stopped_after();
  if (std::any_of(stopped_after_.begin(), stopped_after_.end(), [](auto rows) { return rows; })) {
    entry.mutable_solver_stopped_after()->Assign(stopped_after_.begin(), stopped_after_.end());
  }
  AppendDelimited(record_, batch_);
  ++batch_events_;
  const Duration age = Time(Duration(entry.at())) - batch_began_;
  if (batch_.size() >= kBatchBytes || age >= kBatchAge) Flush();
  observer_->Decided(decisions);
}

void EventRecorder::Handled(const Event& event, std::chrono::nanoseconds took) {
  observer_->Handled(event, took);
}

void EventRecorder::CommandEnded(const std::string& command, absl::StatusCode code) {
  observer_->CommandEnded(command, code);
}

void EventRecorder::Flush() {
  if (batch_.empty()) return;
  // The next batch needs about as much.
  std::string full;
  full.reserve(kBatchBytes + kBatchBytes / 4);
  full.swap(batch_);
  sink_(std::move(full), std::exchange(batch_events_, 0));
}

void AppendDelimited(const record::Record& record, std::string& bytes) {
  using google::protobuf::io::CodedOutputStream;
  std::array<std::uint8_t, 10> length;
  const std::uint8_t* end =
      CodedOutputStream::WriteVarint64ToArray(record.ByteSizeLong(), length.data());
  bytes.append(reinterpret_cast<const char*>(length.data()),
               static_cast<std::size_t>(end - length.data()));
  record.AppendToString(&bytes);
}

}  // namespace ridestream::dispatch
