#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "loadtest/auditor/auditor.h"
#include "loadtest/auditor/verdict.h"
#include "loadtest/report/tally.h"

namespace ridestream::loadtest {

/// The result of a run.
struct Report {
  // What was asked for.
  size_t drivers = 0;
  double clock_rate = 1;
  /// Wall time of the load, the drain left out.
  double load_s = 0;
  /// The run was ended while trips and calls were in progress, which the verdict may count as
  /// violations.
  bool is_unsettled = false;

  std::uint64_t requested = 0, completed = 0, cancelled = 0, unserved = 0;
  /// Requests without a trip.
  std::uint64_t refused = 0, unanswered = 0;
  /// Trips that hadn't ended when the run did.
  std::uint64_t open_at_end = 0;
  std::uint64_t destination_changes = 0, calls_retried = 0;
  RideFigures rides;
  std::uint64_t positions_sent = 0, positions_indexed = 0;
  std::uint64_t streams_peak = 0, streams_resumed = 0, sessions_lost = 0, drivers_taken_over = 0;
  std::uint64_t offers = 0, plans = 0;
  /// Wall time in microseconds.
  Histogram request_to_offer, offer_push, plan_push, reconnect;
  /// City time in microseconds, from when a request was due until its driver arrived.
  Histogram wait;
  Verdict verdict;
};

Report MakeReport(const Tally& tally, const Verdict& verdict, const RideFigures& rides = {});

/// The keys are a public interface, which other tools read.
nlohmann::ordered_json ToJson(const Report& report);

/// The final table with the verdict.
std::string ToText(const Report& report);

}  // namespace ridestream::loadtest
