#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "libs/base/clock.h"
#include "services/dispatch/domain/drivers/driver.h"
#include "services/dispatch/domain/events/market_events.h"
#include "services/dispatch/domain/events/step.h"
#include "services/dispatch/domain/events/timers.h"
#include "services/dispatch/domain/plan/driver_plan.h"
#include "services/dispatch/domain/promises/promises.h"

namespace ridestream::dispatch {

/// Publishes changes of drivers' plans: requests a route if a plan needs one, then pushes the plan
/// to its driver and notifies its riders. Publishes nothing until the log has been read. Not
/// thread-safe.
class PlanPublisher {
 public:
  /// How long to wait for the answer to FindRoute. A safety net, since the runner always answers.
  /// In city time, which may run many times faster than routes are computed.
  static constexpr Duration kRoutePatience = std::chrono::seconds(60);

  /// Maximum number of commands that one plan answers. Further commands are carried out while the
  /// plan waits to be pushed, but the plan doesn't list them.
  static constexpr std::size_t kMaxAnswers = 64;

  /// `heard_within`: until its driver gets a plan whose route is being computed, a car drives on
  /// along the old route. `timers` and `promises` must outlive it.
  PlanPublisher(Duration heard_within, Timers& timers, Promises& promises)
      : heard_within_(heard_within), timers_(timers), promises_(promises) {}

  /// The log has been read. From now on plans are pushed.
  void CatchUp() { caught_up_ = true; }
  bool caught_up() const { return caught_up_; }

  /// The driver's plan has changed: pushes it, after its new route is found if it needs one.
  void Change(Driver& driver, PlanChange change, Step& step);
  /// Requests the plan's route. The plan is pushed when the route has been found, or at once if the
  /// driver's position is unknown.
  void FindRoute(Driver& driver, v1::PlanCause cause, Step& step);
  /// For a driver whose position is known: if the plan has no route, or the car has left it.
  void FindMissingRoute(Driver& driver, Step& step);
  void CancelRouteRequest(Driver& driver);
  /// The answer to FindRoute; older ones are ignored.
  void OnRouteFound(Driver& driver, RouteFound event, Step& step);
  /// TimerKind::kRouteUnanswered fired.
  void RouteUnanswered(Driver& driver, Step& step);
  /// Answers a command that has been carried out: pushes the plan as it is, or lets the push that
  /// waits for a route or for the log name the command as well.
  void Repeat(Driver& driver, v1::PlanCause cause, v1::AnsweredCommand answer, Step& step);
  /// Pushes the plan if commands wait for an answer.
  void PushUnanswered(Driver& driver, Step& step);

 private:
  /// The next push of the plan answers these commands, up to kMaxAnswers in all.
  static void AddUnanswered(Driver& driver, Answers answers);
  /// Pushes the plan as it is to a driver who has a session.
  void PushPlan(Driver& driver, v1::PlanCause cause, Step& step);

  const Duration heard_within_;
  Timers& timers_;
  Promises& promises_;
  bool caught_up_ = false;
  std::uint64_t last_route_request_ = 0;
};

}  // namespace ridestream::dispatch
