// The rules about a driver's history, on its own and compared with the record.

#include <fmt/format.h>

#include <algorithm>

#include "loadtest/auditor/auditor.h"

namespace ridestream::loadtest {

void Auditor::JudgeDriver(const DriverHistory& driver) {
  verdict_.Looked(Check::kPushSequence, driver.pushes);
  verdict_.Looked(Check::kSessionEpochGrows, driver.welcomes);
  verdict_.Looked(Check::kPlanAcked, driver.plans);
  verdict_.Looked(Check::kPlanVersionGrows, driver.plans);
  verdict_.Looked(Check::kRouteKnown, driver.plans);
  verdict_.Looked(Check::kOneOpenOffer, driver.offers.size());
  for (const Violation& violation : driver.violations) {
    verdict_.Violated(violation.check, fmt::format("driver {}: {}", driver.id, violation.text));
  }
  for (auto i = driver.violations.size(); i < driver.violation_count; ++i) {
    verdict_.Violated(driver.violations.back().check,
                      fmt::format("driver {}: more than {} violations", driver.id,
                                  DriverHistory::kKeptViolations));
  }
  if (driver.plan_version != driver.acked_plan_version) {
    verdict_.Violated(Check::kPlanAcked,
                      fmt::format("driver {}: plan version {} neither acked nor replaced, {} is",
                                  driver.id, driver.plan_version, driver.acked_plan_version));
  }
  if (driver.most_seats_taken > driver.seats) {
    verdict_.Violated(Check::kSeatsNotExceeded,
                      fmt::format("driver {}: {} aboard by its plans, has {} seats", driver.id,
                                  driver.most_seats_taken, driver.seats));
  }
  for (const OfferHistory& offer : driver.offers) JudgeOffer(driver, offer);
}

void Auditor::JudgeOffer(const DriverHistory& driver, const OfferHistory& offer) {
  verdict_.Looked(Check::kOfferEnded);
  verdict_.Looked(Check::kNotOfferedAgain);
  if (offer.ends > 1 + offer.answers || offer.ends_differ || (offer.ends == 0 && !offer.voided)) {
    verdict_.Violated(Check::kOfferEnded,
                      fmt::format("driver {}: offer {} ended {} times, answered {} times{}",
                                  driver.id, offer.offer_id, offer.ends, offer.answers,
                                  offer.ends_differ ? ", with different outcomes" : ""));
  }
  const TripRecord* record = book_.Find(offer.trip_id);
  if (record == nullptr) {
    verdict_.Violated(Check::kOfferEnded,
                      fmt::format("driver {}: offer {} is for trip {}, which isn't on record",
                                  driver.id, offer.offer_id, offer.trip_id));
    return;
  }
  const auto& assignments = record->assignments;
  if (offer.outcome == dispatch::v1::OFFER_OUTCOME_ACCEPTED &&
      std::none_of(assignments.begin(), assignments.end(), [&](const Assignment& assignment) {
        return assignment.offer_id == offer.offer_id;
      })) {
    verdict_.Violated(
        Check::kOneDriverPerTrip,
        fmt::format("driver {}: was notified that it got trip {} by offer {}, which isn't "
                    "on record",
                    driver.id, offer.trip_id, offer.offer_id));
  }
  for (const Assignment& assignment : assignments) {
    if (assignment.driver_id == driver.id && assignment.offer_id != offer.offer_id &&
        offer.decided_at > assignment.released_at) {
      verdict_.Violated(Check::kNotOfferedAgain,
                        fmt::format("driver {}: offered trip {} again by offer {}", driver.id,
                                    offer.trip_id, offer.offer_id));
    }
  }
}

}  // namespace ridestream::loadtest
