#include "services/dispatch/runner/push_lines.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_join.h"
#include "libs/service/service.h"

namespace ridestream::dispatch {
namespace {

using service::Level;
using service::Log;
using RequestOf = std::function<std::string(const std::string&)>;

void LogPlan(const Push& push, const SessionId& session, const RequestOf& request_of) {
  const v1::Plan& plan = push.message.plan();
  std::vector<std::string> trips;
  for (const v1::Stop& stop : plan.stops()) {
    if (std::find(trips.begin(), trips.end(), stop.trip_id()) == trips.end()) {
      trips.push_back(stop.trip_id());
    }
  }
  std::vector<std::string> requests;
  for (const std::string& trip : trips) {
    std::string request = request_of(trip);
    if (!request.empty()) requests.push_back(std::move(request));
  }
  Log(Level::kInfo, "plan_pushed",
      {{"driver", push.driver.str()},
       {"session", session.str()},
       {"version", std::to_string(plan.version())},
       {"cause", v1::PlanCause_Name(plan.cause())},
       {"trip", absl::StrJoin(trips, ",")},
       {"request", absl::StrJoin(requests, ",")}});
}

}  // namespace

void LogPush(const Push& push, const SessionId& session, const RequestOf& request_of) {
  if (push.message.has_offer()) {
    const v1::Offer& offer = push.message.offer();
    Log(Level::kInfo, "offer_made",
        {{"trip", offer.trip_id()},
         {"request", request_of(offer.trip_id())},
         {"driver", push.driver.str()},
         {"session", session.str()},
         {"offer", offer.offer_id()}});
  } else if (push.message.has_offer_ended()) {
    const v1::OfferEnded& ended = push.message.offer_ended();
    Log(Level::kInfo, "offer_ended",
        {{"trip", ended.trip_id()},
         {"request", request_of(ended.trip_id())},
         {"driver", push.driver.str()},
         {"session", session.str()},
         {"offer", ended.offer_id()},
         {"outcome", v1::OfferOutcome_Name(ended.outcome())}});
  } else if (push.message.has_plan()) {
    LogPlan(push, session, request_of);
  }
}

}  // namespace ridestream::dispatch
