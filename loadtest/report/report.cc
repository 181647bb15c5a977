#include "loadtest/report/report.h"

#include <fmt/format.h>

namespace ridestream::loadtest {
namespace {

double Milliseconds(std::int64_t us) { return static_cast<double>(us) / 1e3; }
double Seconds(double us) { return us / 1e6; }

nlohmann::ordered_json LatencyJson(const Histogram& latency) {
  return {{"p50", Milliseconds(latency.Quantile(0.5))},
          {"p99", Milliseconds(latency.Quantile(0.99))},
          {"p999", Milliseconds(latency.Quantile(0.999))},
          {"max", Milliseconds(latency.max())},
          {"count", latency.count()}};
}

nlohmann::ordered_json AuditJson(const Verdict& verdict) {
  nlohmann::ordered_json first = nlohmann::ordered_json::array();
  for (const Violation& violation : verdict.first()) {
    first.push_back(fmt::format("{}: {}", Name(violation.check), violation.text));
  }
  nlohmann::ordered_json checks;
  for (size_t i = 0; i < kCheckCount; ++i) {
    const auto check = static_cast<Check>(i);
    checks[std::string(Name(check))] = {{"looked_at", verdict.count(check).looked_at},
                                        {"violations", verdict.count(check).violations}};
  }
  return {{"checked", verdict.checked()},
          {"violations", verdict.violations()},
          {"first", std::move(first)},
          {"checks", std::move(checks)}};
}

std::string LatencyLine(const char* name, const Histogram& latency) {
  return fmt::format("  {:<18}{:>10.2f}{:>10.2f}{:>10.2f}{:>10.2f}{:>10}\n", name,
                     Milliseconds(latency.Quantile(0.5)), Milliseconds(latency.Quantile(0.99)),
                     Milliseconds(latency.Quantile(0.999)), Milliseconds(latency.max()),
                     latency.count());
}

}  // namespace

Report MakeReport(const Tally& tally, const Verdict& verdict, const RideFigures& rides) {
  Report report;
  report.rides = rides;
  report.requested = tally.requested;
  report.completed = tally.completed;
  report.cancelled = tally.cancelled;
  report.unserved = tally.unserved;
  report.refused = tally.refused;
  report.unanswered = tally.unanswered;
  report.open_at_end = report.requested - report.completed - report.cancelled - report.unserved -
                       report.refused - report.unanswered;
  report.destination_changes = tally.destination_changes;
  report.calls_retried = tally.calls_retried;
  report.positions_sent = tally.positions_sent;
  report.positions_indexed = tally.positions_indexed;
  report.streams_peak = static_cast<std::uint64_t>(tally.streams.peak());
  report.streams_resumed = tally.streams_resumed;
  report.sessions_lost = tally.sessions_lost;
  report.drivers_taken_over = tally.drivers_taken_over;
  report.offers = tally.offers;
  report.plans = tally.plans;
  report.request_to_offer = tally.request_to_offer.Merged();
  report.offer_push = tally.offer_push.Merged();
  report.plan_push = tally.plan_push.Merged();
  report.reconnect = tally.reconnect.Merged();
  report.wait = tally.wait.Merged();
  report.verdict = verdict;
  return report;
}

nlohmann::ordered_json ToJson(const Report& report) {
  return {{"drivers", report.drivers},
          {"clock_rate", report.clock_rate},
          {"load_s", report.load_s},
          {"is_unsettled", report.is_unsettled},
          {"requested", report.requested},
          {"completed", report.completed},
          {"cancelled", report.cancelled},
          {"unserved", report.unserved},
          {"refused", report.refused},
          {"unanswered", report.unanswered},
          {"open_at_end", report.open_at_end},
          {"destination_changes", report.destination_changes},
          {"calls_retried", report.calls_retried},
          {"sharing",
           {{"trips", report.rides.shared_trips},
            {"riders_per_car", report.rides.riders_per_car},
            {"broken_promises", report.rides.broken_promises}}},
          {"steps", report.rides.steps},
          {"implausible_steps", report.rides.implausible_steps},
          {"positions_sent", report.positions_sent},
          {"positions_indexed", report.positions_indexed},
          {"streams_peak", report.streams_peak},
          {"streams_resumed", report.streams_resumed},
          {"sessions_lost", report.sessions_lost},
          {"drivers_taken_over", report.drivers_taken_over},
          {"offers", report.offers},
          {"plans", report.plans},
          {"latency_ms",
           {{"request_to_offer", LatencyJson(report.request_to_offer)},
            {"offer_push", LatencyJson(report.offer_push)},
            {"plan_push", LatencyJson(report.plan_push)},
            {"reconnect", LatencyJson(report.reconnect)}}},
          {"wait_s",
           {{"mean", Seconds(report.wait.mean())},
            {"p50", Seconds(static_cast<double>(report.wait.Quantile(0.5)))},
            {"p95", Seconds(static_cast<double>(report.wait.Quantile(0.95)))}}},
          {"audit", AuditJson(report.verdict)}};
}

std::string ToText(const Report& report) {
  std::string text = fmt::format(
      "\n{} drivers, {:.0f} s of load at {:g} times real time\n\n"
      "  requests {:>8}   completed {}, cancelled {}, unserved {}, open at the end {}\n",
      report.drivers, report.load_s, report.clock_rate, report.requested, report.completed,
      report.cancelled, report.unserved, report.open_at_end);
  if (report.refused + report.unanswered > 0) {
    text += fmt::format("  {:>17}   refused {}, unanswered {}\n", "", report.refused,
                        report.unanswered);
  }
  if (report.drivers_taken_over > 0) {
    text += fmt::format("  {:>17}   drivers taken over by others, and not judged: {}\n", "",
                        report.drivers_taken_over);
  }
  text += fmt::format(
      "  offers   {:>8}   plans {}, destinations changed {}, calls made again {}\n"
      "  shared   {:>8}   riders a car {:.2f}, broken promises {}\n"
      "  steps    {:>8}   implausible {}\n"
      "  positions{:>8}   seen in the index {}\n"
      "  streams  {:>8}   resumed {}, sessions lost {}\n"
      "  wait     {:>6.0f} s   median {:.0f} s, p95 {:.0f} s, of the city's time\n\n"
      "  latency in ms          p50       p99      p999       max     count\n",
      report.offers, report.plans, report.destination_changes, report.calls_retried,
      report.rides.shared_trips, report.rides.riders_per_car, report.rides.broken_promises,
      report.rides.steps, report.rides.implausible_steps, report.positions_sent,
      report.positions_indexed, report.streams_peak, report.streams_resumed, report.sessions_lost,
      Seconds(report.wait.mean()), Seconds(static_cast<double>(report.wait.Quantile(0.5))),
      Seconds(static_cast<double>(report.wait.Quantile(0.95))));
  text += LatencyLine("request to offer", report.request_to_offer);
  text += LatencyLine("offer push", report.offer_push);
  text += LatencyLine("plan push", report.plan_push);
  if (report.reconnect.count() > 0) text += LatencyLine("reconnect", report.reconnect);
  if (report.requested == 0) {
    return text + "\n  NOT AUDITED: no request was made; lengthen --seconds\n";
  }
  if (report.is_unsettled) {
    return text + "\n  NOT AUDITED: the run was ended while trips and calls were under way\n";
  }
  text +=
      "\n  audit                                                      looked at    violations\n";
  for (size_t i = 0; i < kCheckCount; ++i) {
    const auto check = static_cast<Check>(i);
    text +=
        fmt::format("  {:<58}{:>10}{:>14}\n", Meaning(check), report.verdict.count(check).looked_at,
                    report.verdict.count(check).violations);
  }
  constexpr size_t kShown = 10;
  for (size_t i = 0; i < std::min(kShown, report.verdict.first().size()); ++i) {
    const Violation& violation = report.verdict.first()[i];
    text += fmt::format("  ! {}: {}\n", Name(violation.check), violation.text);
  }
  text +=
      report.verdict.clean()
          ? fmt::format("\n  clean: {} things checked, no violation\n", report.verdict.checked())
          : fmt::format("\n  NOT CLEAN: {} things checked, {} violations\n",
                        report.verdict.checked(), report.verdict.violations());
  return text;
}

}  // namespace ridestream::loadtest
