#include "services/dispatch/domain/drivers/plan_publisher.h"

#include <utility>

#include "absl/status/status.h"

namespace ridestream::dispatch {
namespace {

Timer RouteTimer(const DriverId& driver) { return {TimerKind::kRouteUnanswered, driver.str()}; }

/// The more important of two reasons for a push. A change for a rider whom the driver's app doesn't
/// know yet is part of adding that rider.
v1::PlanCause Combine(v1::PlanCause unpushed, v1::PlanCause cause) {
  const auto weight = [](v1::PlanCause c) {
    switch (c) {
      case v1::PLAN_CAUSE_UNSPECIFIED:
        return 0;
      case v1::PLAN_CAUSE_REROUTED:
        return 1;
      case v1::PLAN_CAUSE_STOP_DONE:
        return 2;
      case v1::PLAN_CAUSE_DESTINATION_CHANGED:
        return 3;
      default:
        return 4;
    }
  };
  return weight(cause) < weight(unpushed) ? unpushed : cause;
}

}  // namespace

void PlanPublisher::Change(Driver& driver, PlanChange change, Step& step) {
  if (change.cause == v1::PLAN_CAUSE_UNSPECIFIED || !caught_up_) return;
  const bool under_way = driver.route_request != 0;
  AddUnanswered(driver, std::move(change.answers));
  if (driver.plan.empty()) {
    driver.track.clear();
    CancelRouteRequest(driver);
    PushPlan(driver, change.cause, step);
  } else if (change.route == RouteChange::kNew ||
             (change.route == RouteChange::kShortened && !driver.plan.has_route())) {
    FindRoute(driver, change.cause, step);
  } else if (under_way) {
    driver.unpushed = Combine(driver.unpushed, change.cause);
  } else {
    PushPlan(driver, change.cause, step);
  }
}

void PlanPublisher::FindRoute(Driver& driver, v1::PlanCause cause, Step& step) {
  if (!caught_up_) return;
  driver.unpushed = Combine(driver.unpushed, cause);
  if (!driver.position) {
    // A driver known only from the log. The plan is pushed now, and its route after the first
    // position.
    PushPlan(driver, driver.unpushed, step);
    return;
  }
  driver.route_request = ++last_route_request_;
  timers_.Set(RouteTimer(driver.id), step.now() + kRoutePatience);
  const LatLng from =
      driver.plan.BeginRoute(*driver.position, driver.DrivenUnheard(heard_within_, step.now()));
  dispatch::FindRoute question{driver.id, driver.route_request, from, driver.plan.Places()};
  // A car that left its route continues in its direction. Otherwise it may turn round, as the
  // search that chose it assumed.
  if (driver.plan.HasLeftRoute()) question.track.assign(driver.track.begin(), driver.track.end());
  step.Decide(std::move(question));
}

void PlanPublisher::FindMissingRoute(Driver& driver, Step& step) {
  const bool on_its_way = driver.plan.has_route() && !driver.plan.HasLeftRoute();
  if (driver.plan.empty() || on_its_way || driver.route_request != 0) return;
  FindRoute(driver, v1::PLAN_CAUSE_REROUTED, step);
}

void PlanPublisher::CancelRouteRequest(Driver& driver) {
  driver.route_request = 0;
  timers_.Cancel(RouteTimer(driver.id));
}

void PlanPublisher::OnRouteFound(Driver& driver, RouteFound event, Step& step) {
  if (driver.route_request == 0 || driver.route_request != event.request) return;
  CancelRouteRequest(driver);
  const bool found = event.way.ok() && driver.plan.SetRoute(*std::move(event.way));
  if (found && driver.position) driver.plan.MoveTo(*driver.position);
  if (found && driver.plan.HasLeftRoute()) {
    // The car was expected elsewhere when the route was requested.
    FindRoute(driver, v1::PLAN_CAUSE_REROUTED, step);
    return;
  }
  // Without a route there is nothing new for a driver who knows the stops.
  if (found || driver.unpushed != v1::PLAN_CAUSE_REROUTED) PushPlan(driver, driver.unpushed, step);
  driver.unpushed = v1::PLAN_CAUSE_UNSPECIFIED;
  promises_.ReportToRiders(driver.AsCar(), step);
}

void PlanPublisher::RouteUnanswered(Driver& driver, Step& step) {
  OnRouteFound(driver,
               {driver.id, driver.route_request, absl::DeadlineExceededError("no route in time")},
               step);
}

void PlanPublisher::Repeat(Driver& driver, v1::PlanCause cause, v1::AnsweredCommand answer,
                           Step& step) {
  AddUnanswered(driver, {std::move(answer)});
  if (!caught_up_) return;
  if (driver.route_request != 0) {
    driver.unpushed = Combine(driver.unpushed, cause);
  } else {
    PushPlan(driver, cause, step);
  }
}

void PlanPublisher::AddUnanswered(Driver& driver, Answers answers) {
  for (v1::AnsweredCommand& answer : answers) {
    if (driver.unanswered.size() >= kMaxAnswers) return;
    driver.unanswered.push_back(std::move(answer));
  }
}

void PlanPublisher::PushUnanswered(Driver& driver, Step& step) {
  if (!driver.unanswered.empty()) PushPlan(driver, v1::PLAN_CAUSE_RESTORED, step);
}

void PlanPublisher::PushPlan(Driver& driver, v1::PlanCause cause, Step& step) {
  driver.unpushed = v1::PLAN_CAUSE_UNSPECIFIED;
  const Answers answers = std::exchange(driver.unanswered, {});
  if (!driver.has_session || !caught_up_ || cause == v1::PLAN_CAUSE_UNSPECIFIED) return;
  v1::DriveResponse message;
  v1::Plan& plan = *message.mutable_plan();
  plan = driver.NextPlanMessage(cause, false, step.now());
  plan.mutable_answers()->Add(answers.begin(), answers.end());
  step.Decide(Push{driver.id, std::move(message)});
}

}  // namespace ridestream::dispatch
