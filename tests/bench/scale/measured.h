#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace ridestream::bench {

/// CPU and memory of the processes of one kind.
struct ProcessUse {
  std::string kind;  ///< "dispatch", "location", "trip" or "generator".
  int processes = 0;
  double cores = 0;      ///< CPU time of all of them per second.
  double max_cores = 0;  ///< Of the busiest.
  double mib = 0;        ///< Resident memory of all of them at the end.
  double grown_mib = 0;  ///< Since before drivers connected.
};

/// Milliseconds, in the market in which they are the longest.
struct Latency {
  double p50 = 0, p99 = 0;
  std::uint64_t count = 0;  ///< In all markets.
};

/// One row of the table.
struct Measured {
  std::string grpc;  ///< As the dispatch processes announce it.
  int drivers = 0;
  int markets = 0;
  int connected = 0;  ///< Drivers with a session.
  double connect_s = 0;
  double seconds = 0;
  double reports_per_s = 0;    ///< That the drivers should send.
  double positions_per_s = 0;  ///< That location applied.
  Latency offer_push, plan_push, request_to_offer;
  std::vector<ProcessUse> processes;
  /// The audits of all markets; `is_audited` unless one didn't end in time.
  bool is_audited = false;
  std::uint64_t violations = 0;
  std::string first_violation;
  /// What each check of the audit looked at. Nothing in a short run for those that need trips to
  /// end.
  std::map<std::string, std::uint64_t> looked_at;
};

/// A Markdown table with a row for each.
std::string ToMarkdown(const std::vector<Measured>& rows);
/// The same and more, keyed by the library and the number of drivers: scale.off.d10000.connected,
/// where `off` means that gRPC has no assertions.
nlohmann::json ToFigures(const std::vector<Measured>& rows);

}  // namespace ridestream::bench
