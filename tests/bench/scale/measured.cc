#include "tests/bench/scale/measured.h"

#include <fmt/format.h>

#include <algorithm>

namespace ridestream::bench {
namespace {

const ProcessUse& Find(const Measured& row, const std::string& kind) {
  static const ProcessUse none;
  for (const ProcessUse& use : row.processes) {
    if (use.kind == kind) return use;
  }
  return none;
}

double KbPerDriver(const Measured& row, const std::string& kind) {
  return row.connected == 0 ? 0 : Find(row, kind).grown_mib * 1'048.576 / row.connected;
}

/// CPU time for each position that location applied, in microseconds.
double MicrosPerPosition(const Measured& row, const std::string& kind) {
  return row.positions_per_s > 0 ? 1e6 * Find(row, kind).cores / row.positions_per_s : 0;
}

std::string ToText(const Latency& latency) {
  if (latency.count == 0) return "none";
  return fmt::format("{:.1f} / {:.1f}", latency.p50, latency.p99);
}

std::uint64_t Checked(const Measured& row) {
  std::uint64_t checked = 0;
  for (const auto& [check, looked_at] : row.looked_at) checked += looked_at;
  return checked;
}

std::string AuditText(const Measured& row) {
  if (!row.is_audited) return "not ended in time";
  if (row.violations > 0) return fmt::format("{} violations", row.violations);
  const std::string text = fmt::format("clean, {} checks", Checked(row));
  const auto unreached = std::count_if(row.looked_at.begin(), row.looked_at.end(),
                                       [](const auto& check) { return check.second == 0; });
  return unreached == 0 ? text : fmt::format("{}; {} kinds not reached", text, unreached);
}

}  // namespace

std::string ToMarkdown(const std::vector<Measured>& rows) {
  std::string table =
      "| gRPC | drivers | connected | positions/s (offered) | offer push p50 / p99, ms | plan push "
      "p50 / "
      "p99, ms | cores: dispatch | location | trip | generator | µs a position: dispatch | "
      "location | KB a "
      "driver: dispatch | generator | audit |\n"
      "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n";
  for (const Measured& row : rows) {
    table += fmt::format(
        "| {} | {} in {} | {} | {:.0f} ({:.0f}) | {} | {} | {:.2f} | {:.2f} | {:.2f} | {:.2f} | "
        "{:.0f} | "
        "{:.0f} | {:.1f} | {:.1f} | {} |\n",
        row.grpc, row.drivers, row.markets, row.connected, row.positions_per_s, row.reports_per_s,
        ToText(row.offer_push), ToText(row.plan_push), Find(row, "dispatch").cores,
        Find(row, "location").cores, Find(row, "trip").cores, Find(row, "generator").cores,
        MicrosPerPosition(row, "dispatch"), MicrosPerPosition(row, "location"),
        KbPerDriver(row, "dispatch"), KbPerDriver(row, "generator"), AuditText(row));
  }
  return table;
}

nlohmann::json ToFigures(const std::vector<Measured>& rows) {
  nlohmann::json figures;
  for (const Measured& row : rows) {
    const std::string key =
        fmt::format("scale.{}.d{}.", row.grpc.substr(row.grpc.rfind(' ') + 1), row.drivers);
    figures[key + "markets"] = row.markets;
    figures[key + "connected"] = row.connected;
    figures[key + "connect_s"] = row.connect_s;
    figures[key + "seconds"] = row.seconds;
    figures[key + "reports_per_s"] = row.reports_per_s;
    figures[key + "positions_per_s"] = row.positions_per_s;
    figures[key + "audit_checked"] = Checked(row);
    figures[key + "audit_violations"] = row.violations;
    figures[key + "is_audited"] = row.is_audited;
    const struct {
      const char* name;
      const Latency& latency;
    } latencies[] = {{"offer_push_ms", row.offer_push},
                     {"plan_push_ms", row.plan_push},
                     {"request_to_offer_ms", row.request_to_offer}};
    for (const auto& [name, latency] : latencies) {
      figures[fmt::format("{}{}.p50", key, name)] = latency.p50;
      figures[fmt::format("{}{}.p99", key, name)] = latency.p99;
      figures[fmt::format("{}{}.count", key, name)] = latency.count;
    }
    for (const ProcessUse& use : row.processes) {
      const std::string process = key + use.kind;
      figures[process + ".processes"] = use.processes;
      figures[process + ".cores"] = use.cores;
      figures[process + ".max_cores"] = use.max_cores;
      figures[process + ".mib"] = use.mib;
      figures[process + ".kb_per_driver"] = KbPerDriver(row, use.kind);
      figures[process + ".us_per_position"] = MicrosPerPosition(row, use.kind);
    }
  }
  return figures;
}

}  // namespace ridestream::bench
