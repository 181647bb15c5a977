#include "tests/chaos/chaos_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace ridestream::chaos {
namespace {

constexpr std::array kDeeds = {Deed::kKill,     Deed::kRestart, Deed::kFreeze,  Deed::kCut,
                               Deed::kHalfOpen, Deed::kDelay,   Deed::kThrottle};

nlohmann::ordered_json ToJson(const RecoveryTimes& times) {
  return {{"count", times.count},
          {"p50", times.p50.count()},
          {"max", times.max.count()},
          {"never", times.never}};
}

std::string Line(const std::string& name, const RecoveryTimes& times) {
  return fmt::format("  {:<12}{:>8}{:>10.2f}{:>10.2f}{:>10}\n", name, times.count,
                     times.p50.count(), times.max.count(), times.never);
}

}  // namespace

ChaosReport::ChaosReport(std::vector<Occurrence> occurrences,
                         std::vector<std::optional<std::chrono::duration<double>>> recoveries)
    : occurrences_(std::move(occurrences)), recoveries_(std::move(recoveries)) {}

RecoveryTimes ChaosReport::Of(std::optional<Deed> deed) const {
  RecoveryTimes times;
  std::vector<std::chrono::duration<double>> known;
  for (std::size_t i = 0; i < occurrences_.size(); ++i) {
    if (deed && occurrences_[i].event.deed != *deed) continue;
    ++times.count;
    if (recoveries_[i]) {
      known.push_back(*recoveries_[i]);
    } else {
      ++times.never;
    }
  }
  std::sort(known.begin(), known.end());
  if (!known.empty()) {
    times.p50 = known[(known.size() - 1) / 2];
    times.max = known.back();
  }
  return times;
}

std::string ChaosReport::ToText() const {
  std::string text = "\n  recovery in s  events       p50       max     never\n";
  for (const Deed deed : kDeeds) {
    if (const RecoveryTimes times = Of(deed); times.count > 0) text += Line(Name(deed), times);
  }
  return text + Line("all", Of(std::nullopt));
}

void ChaosReport::AddTo(nlohmann::ordered_json& report) const {
  nlohmann::ordered_json recovery = ToJson(Of(std::nullopt));
  for (const Deed deed : kDeeds) recovery["by_deed"][Name(deed)] = ToJson(Of(deed));
  report["recovery_s"] = std::move(recovery);
  nlohmann::ordered_json& events = report["events"] = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < occurrences_.size(); ++i) {
    const Event& event = occurrences_[i].event;
    events.push_back({{"at_s", static_cast<double>(event.at.count()) / 1e3},
                      {"deed", Name(event.deed)},
                      {"target", Name(event.target)},
                      {"lasts_s", static_cast<double>(event.lasts.count()) / 1e3},
                      {"recovery_s", nullptr}});
    if (recoveries_[i]) events.back()["recovery_s"] = recoveries_[i]->count();
  }
}

}  // namespace ridestream::chaos
