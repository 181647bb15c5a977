#include "tests/bench/stream/bench_driver.h"

#include <utility>

#include "libs/rpc/caller.h"

namespace ridestream::bench {

BenchDriver::BenchDriver(dispatch::v1::DispatchService::Stub& stub, Options options)
    : options_(std::move(options)) {
  rpc::SetCaller(context_, {rpc::CallerKind::kDriver, options_.id});
  stub.async()->Drive(&context_, this);
  // Accounts for writes that are started outside of reactions.
  AddHold();
  MutexLock lock(mu_);
  auto& hello = *hello_.emplace().mutable_hello();
  hello.set_market(options_.market);
  hello.set_seats(4);
  Advance();
  StartRead(&incoming_);
  StartCall();
}

void BenchDriver::WaitUntilWelcome() {
  MutexLock lock(mu_);
  while (!welcome_ && !status_) changed_.Wait(mu_);
}

void BenchDriver::Flood() {
  MutexLock lock(mu_);
  flooding_ = true;
  Advance();
}

void BenchDriver::Report() {
  MutexLock lock(mu_);
  ++reports_due_;
  Advance();
}

void BenchDriver::Send(const dispatch::v1::DriveRequest& request) {
  MutexLock lock(mu_);
  message_ = request;
  Advance();
}

void BenchDriver::Stop() {
  MutexLock lock(mu_);
  stopping_ = true;
  Advance();
}

grpc::Status BenchDriver::WaitUntilDone() {
  MutexLock lock(mu_);
  while (!status_) changed_.Wait(mu_);
  return *status_;
}

void BenchDriver::OnReadDone(bool ok) {
  if (!ok) return;
  if (options_.on_push) options_.on_push(incoming_);
  {
    MutexLock lock(mu_);
    if (incoming_.has_welcome()) {
      welcome_ = true;
      changed_.SignalAll();
    }
    if (incoming_.sequence() > 0) ack_due_ = incoming_.sequence();
    if (incoming_.has_offer()) {
      auto& answer = *answer_.emplace().mutable_offer_answer();
      answer.set_offer_id(incoming_.offer().offer_id());
      answer.set_accept(false);
    }
    Advance();
  }
  StartRead(&incoming_);
}

void BenchDriver::OnWriteDone(bool ok) {
  MutexLock lock(mu_);
  writing_ = false;
  if (ok && in_flight_.has_position()) positions_sent_.fetch_add(1, std::memory_order_relaxed);
  if (!ok) stopping_ = true;
  Advance();
}

void BenchDriver::OnDone(const grpc::Status& status) {
  MutexLock lock(mu_);
  status_ = status;
  changed_.SignalAll();
}

void BenchDriver::Advance() {
  if (writing_ || half_closed_) return;
  if (stopping_) {
    half_closed_ = true;
    StartWritesDone();
    RemoveHold();
    return;
  }
  if (hello_) {
    in_flight_ = *std::exchange(hello_, std::nullopt);
  } else if (ack_due_ > 0) {
    in_flight_.mutable_ack()->set_sequence(std::exchange(ack_due_, 0));
  } else if (answer_) {
    in_flight_ = *std::exchange(answer_, std::nullopt);
  } else if (message_) {
    in_flight_ = *std::exchange(message_, std::nullopt);
  } else if (welcome_ && (flooding_ || reports_due_ > 0)) {
    if (reports_due_ > 0) --reports_due_;
    auto& position = *in_flight_.mutable_position();
    position.set_sequence(++position_sequence_);
    // To and fro within some 70 m of the start, like a car looking for its place.
    const auto step = static_cast<std::int32_t>(position_sequence_ % 64);
    position.set_lat_e7(options_.start.lat_e7 + step * 100);
    position.set_lng_e7(options_.start.lng_e7 - step * 50);
    position.set_heading_deg(static_cast<std::uint32_t>(step) * 5);
    position.set_speed_dm_per_s(80);
    position.set_device_time_ms(1'790'000'000'000ull + position_sequence_);
  } else {
    return;
  }
  writing_ = true;
  StartWrite(&in_flight_);
}

}  // namespace ridestream::bench
