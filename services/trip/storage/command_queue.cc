#include "services/trip/storage/command_queue.h"

#include <fmt/format.h>

#include <iterator>
#include <utility>

namespace ridestream::trip {

void Complete(Work& work) {
  if (auto* quote = std::get_if<QuoteWork>(&work)) {
    quote->done(absl::OkStatus());
  } else {
    auto& trip = std::get<TripWork>(work);
    trip.done(std::move(trip.outcome.answer));
  }
}

void Fail(Work& work, const absl::Status& status) {
  if (auto* quote = std::get_if<QuoteWork>(&work)) {
    quote->done(status);
  } else {
    std::get<TripWork>(work).done(status);
  }
}

TripStore::Deadline DeadlineOf(const Work& work) {
  return std::visit([](const auto& one) { return one.deadline; }, work);
}

absl::Status NotCommitted(const absl::Status& cause) {
  const std::string text = fmt::format("the trip wasn't written: {}", std::string(cause.message()));
  switch (cause.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
      return absl::Status(cause.code(), text);
    default:
      return absl::InternalError(text);
  }
}

std::vector<EventPtr> TakeEvents(Batch& batch) {
  std::vector<EventPtr> events;
  for (Work& work : batch) {
    auto* trip = std::get_if<TripWork>(&work);
    if (trip != nullptr && trip->outcome.event != nullptr) {
      events.push_back(std::move(trip->outcome.event));
    }
  }
  return events;
}

void CommandQueue::Add(Work work) {
  {
    MutexLock lock(mu_);
    if (queue_.size() < max_queue_) {
      queue_.push_back(std::move(work));
      if (queue_.size() == 1) work_came_.Signal();
      return;
    }
  }
  Fail(work, absl::ResourceExhaustedError(fmt::format(
                 "{} commands wait to be written already; try again later", max_queue_)));
}

Batch CommandQueue::Take() {
  Batch batch;
  MutexLock lock(mu_);
  while (queue_.empty() && !stopping_) work_came_.Wait(mu_);
  if (queue_.size() <= max_batch_) {
    batch.swap(queue_);
  } else {
    const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(max_batch_);
    std::move(queue_.begin(), end, std::back_inserter(batch));
    queue_.erase(queue_.begin(), end);
  }
  return batch;
}

void CommandQueue::Stop() {
  MutexLock lock(mu_);
  stopping_ = true;
  work_came_.Signal();
}

size_t CommandQueue::waiting() const {
  MutexLock lock(mu_);
  return queue_.size();
}

}  // namespace ridestream::trip
