#include "tests/sim/describe.h"

#include <fmt/format.h>

#include <variant>

#include "loadtest/auditor/trip_states.h"

namespace ridestream::sim {
namespace {

namespace pb = ::ridestream::dispatch::v1;

/// The value's name without the enum's prefix: "DROPPED_OFF".
std::string Short(const std::string& name, std::size_t prefix) {
  return name.size() > prefix ? name.substr(prefix) : name;
}

std::string Describe(const pb::Plan& plan) {
  std::string stops;
  for (const pb::Stop& stop : plan.stops()) {
    stops += fmt::format(" {}{}", stop.kind() == pb::STOP_KIND_PICK_UP ? "+" : "-", stop.trip_id());
  }
  return fmt::format("plan {} {} [{} ]", plan.version(),
                     Short(pb::PlanCause_Name(plan.cause()), sizeof("PLAN_CAUSE_") - 1), stops);
}

}  // namespace

std::string Describe(const pb::DriveRequest& request) {
  switch (request.message_case()) {
    case pb::DriveRequest::kPosition:
      return fmt::format("position {} at {} {}", request.position().sequence(),
                         request.position().lat_e7(), request.position().lng_e7());
    case pb::DriveRequest::kAck:
      return fmt::format("ack {}", request.ack().sequence());
    case pb::DriveRequest::kHello: {
      const pb::Resume& resume = request.hello().resume();
      return fmt::format("hello, had {} epoch {} push {} plan {}", resume.session_id(),
                         resume.epoch(), resume.last_sequence(), resume.plan_version());
    }
    case pb::DriveRequest::kOfferAnswer:
      return fmt::format("{} {}", request.offer_answer().accept() ? "accept" : "decline",
                         request.offer_answer().offer_id());
    case pb::DriveRequest::kStopUpdate:
      return fmt::format(
          "{} {}",
          Short(pb::StopAction_Name(request.stop_update().action()), sizeof("STOP_ACTION_") - 1),
          request.stop_update().trip_id());
    case pb::DriveRequest::kGiveUp:
      return fmt::format("give up {}", request.give_up().trip_id());
    case pb::DriveRequest::kEndShift:
      return "end of shift";
    case pb::DriveRequest::kHeartbeat:
      return "heartbeat";
    case pb::DriveRequest::MESSAGE_NOT_SET:
      break;
  }
  return "nothing";
}

std::string Describe(const pb::DriveResponse& response) {
  const std::string number =
      response.sequence() == 0 ? "" : fmt::format("#{} ", response.sequence());
  switch (response.message_case()) {
    case pb::DriveResponse::kWelcome:
      return fmt::format(
          "welcome {} epoch {}{}", response.welcome().session_id(), response.welcome().epoch(),
          response.welcome().resumed()
              ? ", resumed"
              : fmt::format(", {}, offer {}", Describe(response.welcome().snapshot().plan()),
                            response.welcome().snapshot().offer().offer_id()));
    case pb::DriveResponse::kOffer:
      return fmt::format("{}offer {} of {}", number, response.offer().offer_id(),
                         response.offer().trip_id());
    case pb::DriveResponse::kOfferEnded:
      return fmt::format("{}offer {} ended {}", number, response.offer_ended().offer_id(),
                         Short(pb::OfferOutcome_Name(response.offer_ended().outcome()),
                               sizeof("OFFER_OUTCOME_") - 1));
    case pb::DriveResponse::kPlan:
      return number + Describe(response.plan());
    case pb::DriveResponse::kRejected:
      return fmt::format("{}rejected: {}", number, response.rejected().message());
    case pb::DriveResponse::kWaitingPlace:
      return fmt::format("{}wait at {} {}", number, response.waiting_place().place().lat_e7(),
                         response.waiting_place().place().lng_e7());
    case pb::DriveResponse::kHeartbeat:
      return "heartbeat";
    case pb::DriveResponse::kGoodbye:
      return "goodbye";
    case pb::DriveResponse::MESSAGE_NOT_SET:
      break;
  }
  return "nothing";
}

std::string Describe(const dispatch::TripRequest& request) {
  struct {
    std::string operator()(const trip::v1::AssignTripRequest& r) const {
      return fmt::format("assign {} to {} by {}", r.trip_id(), r.driver().driver_id(),
                         r.offer_id());
    }
    std::string operator()(const trip::v1::AdvanceTripRequest& r) const {
      return fmt::format("advance {} of {} to {}", r.trip_id(), r.driver_id(),
                         loadtest::StateName(r.to()));
    }
    std::string operator()(const trip::v1::ReleaseTripRequest& r) const {
      return fmt::format("release {} from {}", r.trip_id(), r.driver_id());
    }
    std::string operator()(const trip::v1::GiveUpTripRequest& r) const {
      return fmt::format("give up {}", r.trip_id());
    }
    std::string operator()(const trip::v1::ReportDriverLostRequest& r) const {
      return fmt::format("{} of {} is {}", r.driver_id(), r.trip_id(), r.lost() ? "lost" : "back");
    }
    std::string operator()(const trip::v1::CancelTripRequest& r) const {
      return fmt::format("cancel {}", r.trip_id());
    }
  } describe;
  return std::visit(describe, request);
}

std::string Describe(const trip::v1::Trip& trip) {
  return fmt::format("{} v{} {} {}", trip.trip_id(), trip.version(),
                     loadtest::StateName(trip.state()), trip.driver().driver_id());
}

}  // namespace ridestream::sim
