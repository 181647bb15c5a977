#include "tests/e2e/test_driver.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <utility>

#include "libs/rpc/caller.h"
#include "libs/rpc/channel.h"

namespace ridestream::e2e {
namespace {

using dispatch::v1::DriveRequest;
using dispatch::v1::DriveResponse;

constexpr std::chrono::seconds kPatience{30};
constexpr std::chrono::milliseconds kReportEvery{200};

}  // namespace

/// A stream with its two threads.
struct TestDriver::Connection {
  grpc::ClientContext context;
  std::unique_ptr<grpc::ClientReaderWriter<DriveRequest, DriveResponse>> stream;
  std::thread reader;
  std::thread reporter;
  bool finished = false;  // Guarded by write_mu_.
};

TestDriver::TestDriver(const std::string& dispatch_address, std::string id, LatLng place, int seats)
    : id_(std::move(id)),
      seats_(seats),
      stub_(dispatch::v1::DispatchService::NewStub(rpc::MakeChannel(dispatch_address))),
      place_(place) {
  Connect();
}

TestDriver::~TestDriver() { Cut(); }

dispatch::v1::Welcome TestDriver::Connect() {
  const auto is_welcome = [](const DriveResponse& push) { return push.has_welcome(); };
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (true) {
    Open();
    if (const auto push = Next(is_welcome, end)) {
      connection_->reporter = std::thread([this] { Report(); });
      return push->welcome();
    }
    // For example a stream that began just before its server died; every driver retries.
    if (EndedWith(grpc::StatusCode::UNAVAILABLE) && std::chrono::steady_clock::now() < end)
      continue;
    FailToGet("Welcome");
    return {};
  }
}

void TestDriver::Open() {
  Cut();
  connection_ = std::make_unique<Connection>();
  rpc::SetCaller(connection_->context, {rpc::CallerKind::kDriver, id_});
  connection_->context.set_wait_for_ready(true);
  connection_->stream = stub_->Drive(&connection_->context);
  DriveRequest hello;
  hello.mutable_hello()->set_market("city");
  hello.mutable_hello()->set_name("Driver " + id_);
  hello.mutable_hello()->set_seats(static_cast<std::uint32_t>(seats_));
  hello.mutable_hello()->mutable_vehicle()->set_model("Test car");
  {
    MutexLock lock(mu_);
    status_.reset();
    if (!resume_.session_id().empty()) *hello.mutable_hello()->mutable_resume() = resume_;
  }
  Write(hello);
  connection_->reader = std::thread([this] { Read(); });
}

void TestDriver::Cut() {
  if (connection_ == nullptr) return;
  connection_->context.TryCancel();
  connection_->reader.join();
  if (connection_->reporter.joinable()) connection_->reporter.join();
  connection_.reset();
}

void TestDriver::Read() {
  DriveResponse push;
  while (connection_->stream->Read(&push)) {
    DriveRequest ack;
    {
      MutexLock lock(mu_);
      if (push.has_welcome()) {
        if (!push.welcome().resumed()) resume_.set_last_sequence(0);
        resume_.set_session_id(push.welcome().session_id());
        resume_.set_epoch(push.welcome().epoch());
      }
      if (push.has_plan()) resume_.set_plan_version(push.plan().version());
      if (push.sequence() > 0) {
        resume_.set_last_sequence(push.sequence());
        sequences_.push_back(push.sequence());
        ack.mutable_ack()->set_sequence(push.sequence());
      }
      pushes_.push_back(push);
      changed_.SignalAll();
    }
    if (ack.has_ack()) Write(ack);
  }
  grpc::Status status;
  {
    MutexLock lock(write_mu_);
    status = connection_->stream->Finish();
    connection_->finished = true;
  }
  MutexLock lock(mu_);
  status_ = std::move(status);
  changed_.SignalAll();
}

void TestDriver::Report() {
  while (true) {
    DriveRequest request;
    {
      MutexLock lock(mu_);
      if (status_) return;
      auto& position = *request.mutable_position();
      position.set_sequence(++position_sequence_);
      position.set_lat_e7(place_.lat_e7);
      position.set_lng_e7(place_.lng_e7);
    }
    Write(request);
    MutexLock lock(mu_);
    if (!status_) changed_.WaitFor(mu_, kReportEvery);
  }
}

void TestDriver::Write(const DriveRequest& request) {
  MutexLock lock(write_mu_);
  if (!connection_->finished) connection_->stream->Write(request);
}

std::optional<DriveResponse> TestDriver::Next(const std::function<bool(const DriveResponse&)>& is,
                                              std::chrono::steady_clock::time_point end) {
  MutexLock lock(mu_);
  while (true) {
    while (!pushes_.empty()) {
      DriveResponse push = std::move(pushes_.front());
      pushes_.pop_front();
      if (is(push)) return push;
    }
    const auto now = std::chrono::steady_clock::now();
    if (status_ || now > end) return std::nullopt;
    changed_.WaitFor(mu_, end - now);
  }
}

DriveResponse TestDriver::WaitFor(const std::string& what,
                                  const std::function<bool(const DriveResponse&)>& is) {
  auto push = Next(is, std::chrono::steady_clock::now() + kPatience);
  if (push) return *std::move(push);
  FailToGet(what);
  return {};
}

bool TestDriver::EndedWith(grpc::StatusCode code) {
  MutexLock lock(mu_);
  return status_ && status_->error_code() == code;
}

void TestDriver::FailToGet(const std::string& what) {
  MutexLock lock(mu_);
  ADD_FAILURE() << id_ << " waited in vain for " << what << "; its stream "
                << (status_ ? fmt::format("ended with code {}: {}", status_->error_code(),
                                          status_->error_message())
                            : "is open");
}

dispatch::v1::Offer TestDriver::WaitForOffer() {
  return WaitFor("an offer", [](const auto& push) { return push.has_offer(); }).offer();
}

dispatch::v1::OfferEnded TestDriver::WaitForOfferEnded() {
  return WaitFor("an offer's end", [](const auto& push) { return push.has_offer_ended(); })
      .offer_ended();
}

dispatch::v1::Plan TestDriver::WaitForPlan(dispatch::v1::PlanCause cause) {
  return WaitFor("a plan " + dispatch::v1::PlanCause_Name(cause),
                 [&](const auto& push) { return push.has_plan() && push.plan().cause() == cause; })
      .plan();
}

dispatch::v1::Rejected TestDriver::WaitForRejected() {
  return WaitFor("a rejection", [](const auto& push) { return push.has_rejected(); }).rejected();
}

dispatch::v1::Goodbye TestDriver::WaitForGoodbye() {
  return WaitFor("a goodbye", [](const auto& push) { return push.has_goodbye(); }).goodbye();
}

void TestDriver::Answer(const dispatch::v1::Offer& offer, bool accept) {
  DriveRequest request;
  request.mutable_offer_answer()->set_offer_id(offer.offer_id());
  request.mutable_offer_answer()->set_accept(accept);
  Write(request);
}

void TestDriver::Do(const std::string& trip_id, dispatch::v1::StopAction action) {
  DriveRequest request;
  request.mutable_stop_update()->set_trip_id(trip_id);
  request.mutable_stop_update()->set_action(action);
  Write(request);
}

void TestDriver::GiveUp(const std::string& trip_id) {
  DriveRequest request;
  request.mutable_give_up()->set_trip_id(trip_id);
  Write(request);
}

void TestDriver::AcceptAndFinish(const dispatch::v1::Offer& offer) {
  Answer(offer, true);
  WaitForPlan(dispatch::v1::PLAN_CAUSE_RIDER_ADDED);
  for (const auto action : {dispatch::v1::STOP_ACTION_ARRIVED, dispatch::v1::STOP_ACTION_PICKED_UP,
                            dispatch::v1::STOP_ACTION_DROPPED_OFF}) {
    Do(offer.trip_id(), action);
    WaitForPlan(dispatch::v1::PLAN_CAUSE_STOP_DONE);
  }
}

std::vector<std::uint64_t> TestDriver::sequences() {
  MutexLock lock(mu_);
  return sequences_;
}

}  // namespace ridestream::e2e
