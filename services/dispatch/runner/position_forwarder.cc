#include "services/dispatch/runner/position_forwarder.h"

#include <utility>

#include "libs/service/service.h"

namespace ridestream::dispatch {

PositionForwarder::PositionForwarder(const Clock& clock, TimerPort& timers, Open open,
                                     std::string market)
    : clock_(clock),
      market_(std::move(market)),
      stream_(timers, {.open = std::move(open),
                       .fill = [this](Request* request) { return NextBatch(request); },
                       .on_end =
                           [market = market_](const absl::Status& status) {
                             service::Log(
                                 service::Level::kWarning, "location_stream_ended",
                                 {{"market", market}, {"error", std::string(status.message())}});
                           }}) {}

void PositionForwarder::Add(absl::FunctionRef<void(location::v1::PositionReport&)> fill) {
  bool first = false;
  {
    MutexLock lock(mu_);
    if (batches_.empty() || batches_.back()->positions_size() == kBatch) NewBatch();
    first = batches_.size() == 1 && batches_.front()->positions_size() == 0;
    fill(*batches_.back()->add_positions());
  }
  if (first) stream_.Wake();
}

void PositionForwarder::NewBatch() {
  if (batches_.size() == kMaxBatches) {
    dropped_.fetch_add(static_cast<std::uint64_t>(batches_.front()->positions_size()),
                       std::memory_order_relaxed);
    batches_.front()->clear_positions();
    spare_.push_back(std::move(batches_.front()));
    batches_.pop_front();
  }
  if (spare_.empty()) {
    batches_.push_back(std::make_unique<Request>());
    batches_.back()->set_market(market_);
  } else {
    batches_.push_back(std::move(spare_.back()));
    spare_.pop_back();
  }
}

bool PositionForwarder::NextBatch(Request* request) {
  MutexLock lock(mu_);
  if (batches_.empty()) return false;
  std::unique_ptr<Request> batch = std::move(batches_.front());
  batches_.pop_front();
  request->Swap(batch.get());
  request->set_sent_at_us(static_cast<std::uint64_t>(clock_.Now().time_since_epoch().count()));
  batch->clear_positions();
  batch->set_market(market_);
  spare_.push_back(std::move(batch));
  return true;
}

}  // namespace ridestream::dispatch
