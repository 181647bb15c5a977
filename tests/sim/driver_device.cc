#include "tests/sim/driver_device.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "libs/proto_values/proto_values.h"
#include "libs/rpc/retry_after.h"
#include "tests/sim/describe.h"

namespace ridestream::sim {

namespace pb = ::ridestream::dispatch::v1;

namespace {

Duration ClockError(Context& context) {
  if (!context.faults.Strikes(Fault::kDeviceClockWrong)) return Duration(0);
  return context.random.Between(Duration(std::chrono::hours(-30)),
                                Duration(std::chrono::hours(30)));
}

}  // namespace

DriverDevice::DriverDevice(Context& context,
                           const std::vector<std::unique_ptr<DispatchSeat>>& seats,
                           loadtest::DriverBehaviour::Identity identity,
                           const loadtest::DriverHabits& habits, const loadtest::Cruises& cruises,
                           loadtest::Random random)
    : context_(context),
      seats_(seats),
      id_(identity.id),
      host_(identity.id.str()),
      behaviour_(std::move(identity), habits, cruises, random, context.agenda.now()),
      clock_error_(ClockError(context)) {
  host_.ComeUp();
  Arm();
}

void DriverDevice::OnTime() {
  armed_at_ = Time::max();
  if (vanished_) return;
  loadtest::DriverBehaviour::Actions actions;
  behaviour_.OnTime(context_.agenda.now(), actions);
  Apply(std::move(actions));
}

void DriverDevice::OnMessage(std::uint64_t link, const pb::DriveResponse& message) {
  if (link_ == nullptr || link_->id() != link || vanished_) return;
  context_.trace.Line("{} hears {}", id_, Describe(message));
  if (message.has_offer()) {
    leases_[message.offer().offer_id()] = FromProto(message.offer().expires_at());
  }
  if (message.has_plan() || message.has_welcome()) {
    const pb::Plan& plan =
        message.has_plan() ? message.plan() : message.welcome().snapshot().plan();
    // After a resume older plans follow the snapshot's.
    const bool is_fresh = message.has_welcome() && !message.welcome().resumed();
    if (is_fresh || plan.version() > plan_version_) {
      plan_version_ = std::max(plan_version_, plan.version());
      has_rider_ = !plan.stops().empty() && plan.stops(0).kind() == pb::STOP_KIND_DROP_OFF;
    }
  }
  loadtest::DriverBehaviour::Actions actions;
  behaviour_.OnMessage(message, context_.agenda.now(), actions);
  Apply(std::move(actions));
}

void DriverDevice::OnClosed(std::uint64_t link, const absl::Status& status) {
  if (link_ == nullptr || link_->id() != link) return;
  context_.trace.Line("{} loses its stream: {}", id_, status.ToString());
  link_.reset();
  // After a redirect or without an answer, it tries the other processes in turn.
  seat_ = (seat_ + 1) % seats_.size();
  if (vanished_) return;
  const auto pause = rpc::RetryAfterOf(status);
  behaviour_.OnClosed(pause ? std::optional<Duration>(*pause) : std::nullopt,
                      context_.agenda.now());
  Arm();
}

void DriverDevice::Apply(loadtest::DriverBehaviour::Actions actions) {
  if (actions.disconnect) CutStream();
  if (actions.connect) Connect();
  for (pb::DriveRequest& request : actions.send) Send(std::move(request));
  if (std::exchange(switching_, false)) SwitchNetwork();
  Judge();
  Arm();
}

void DriverDevice::Connect() {
  // The driver has heard nothing for too long.
  if (link_ != nullptr) seat_ = (seat_ + 1) % seats_.size();
  CutStream();
  DispatchSeat& seat = *seats_[seat_];
  link_ = Link::Open(context_, host_, seat.host, id_.str());
  link_->WhenClosed(Side::kClient,
                    [this, id = link_->id()](const absl::Status& status) { OnClosed(id, status); });
  const auto deliver = [this, id = link_->id()](const pb::DriveResponse& message) {
    OnMessage(id, message);
  };
  link_->Send(Side::kServer, [&dispatch = seat.process, link = link_, id = id_, deliver] {
    dispatch->Drive(link, id, deliver);
  });
}

void DriverDevice::Send(pb::DriveRequest request) {
  if (link_ == nullptr || !link_->IsOpen(Side::kClient)) return;
  int times = 1;
  if (request.has_position()) {
    Distort(*request.mutable_position());
  } else if (request.has_stop_update() || request.has_give_up()) {
    // Offers' answers are repeated by resumes, and the driver's history counts those.
    if (context_.faults.Strikes(Fault::kCommandDoubled)) times = 2;
  }
  if (request.has_offer_answer() && request.offer_answer().accept() &&
      leases_[request.offer_answer().offer_id()] < context_.agenda.now()) {
    context_.faults.Count(Fault::kAcceptLate);
  }
  if (!request.has_hello() && context_.faults.Strikes(Fault::kNetworkSwitched)) {
    link_->SlowDown(Side::kServer, context_.random.Between(Duration(std::chrono::milliseconds(1)),
                                                           Duration(std::chrono::seconds(2))));
    switching_ = true;
  }
  for (; times > 0; --times) {
    link_->Send(Side::kServer, [&dispatch = seats_[seat_]->process, link = link_, request] {
      dispatch->OnDriverMessage(*link, request);
    });
  }
  if (request.has_ack()) behaviour_.OnAckSent(request.ack().sequence());
}

void DriverDevice::Distort(pb::Position& position) {
  position.set_device_time_ms(position.device_time_ms() +
                              static_cast<std::uint64_t>(clock_error_.count() / 1'000));
  if (!context_.faults.Strikes(Fault::kPositionJumped)) return;
  const double distance_m = context_.random.Between(1'000.0, 200'000.0);
  const LatLng jumped =
      OffsetBy({position.lat_e7(), position.lng_e7()}, distance_m, -distance_m / 2);
  position.set_lat_e7(jumped.lat_e7);
  position.set_lng_e7(jumped.lng_e7);
}

bool DriverDevice::SendInvalid(pb::DriveRequest request) {
  const bool own =
      request.has_offer_answer() && leases_.contains(request.offer_answer().offer_id());
  if (vanished_ || !behaviour_.online() || own) return false;
  Send(std::move(request));
  return true;
}

void DriverDevice::BreakStream() {
  if (link_ != nullptr) link_->Break();
}

void DriverDevice::CutStream() {
  if (link_ == nullptr) return;
  link_->Abandon(Side::kClient);
  link_.reset();
}

void DriverDevice::SwitchNetwork() {
  context_.trace.Line("{} switches its network", id_);
  CutStream();
  behaviour_.OnClosed(Duration(0), context_.agenda.now());
}

void DriverDevice::Vanish() {
  vanished_ = true;
  if (link_ == nullptr) return;
  // The network may notify the server or not.
  if (context_.random.Chance(0.5)) CutStream();
}

void DriverDevice::ComeBack() {
  vanished_ = false;
  CutStream();
  behaviour_.OnClosed(std::nullopt, context_.agenda.now());
  Arm();
}

void DriverDevice::Park() {
  behaviour_.Park(context_.agenda.now());
  Arm();
}

void DriverDevice::Judge() {
  const loadtest::DriverHistory& history = behaviour_.history();
  if (history.violation_count == 0 || history.violations.empty()) return;
  context_.Violated(fmt::format("driver {}: {}", id_, history.violations.front().text));
}

void DriverDevice::Arm() {
  const Time wake = behaviour_.wake_at();
  if (vanished_ || wake >= armed_at_) return;
  armed_at_ = wake;
  context_.agenda.At(wake, host_.life(), [this, wake] {
    if (armed_at_ == wake) OnTime();
  });
}

}  // namespace ridestream::sim
