#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <utility>

#include "libs/roads/streets.h"
#include "libs/service/service.h"
#include "loadtest/city/city.h"
#include "loadtest/report/report.h"
#include "loadtest/settings.h"

namespace {

// Exit statuses; --help lists them.
constexpr int kClean = 0, kViolations = 1, kUsage = 2, kUnreachable = 3;

int FailWith(int exit_status, const absl::Status& status) {
  ridestream::service::PrintFailure(status);
  return exit_status;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace ridestream;
  service::Initialize(argc, argv, "loadtest", loadtest::kUsage);
  auto settings = loadtest::SettingsFromFlags();
  if (!settings.ok()) return FailWith(kUsage, settings.status());
  if (settings->check_flags) {
    const absl::Status status = loadtest::CheckFiles(*settings);
    return status.ok() ? kClean : FailWith(kUsage, status);
  }
  if (absl::Status status = loadtest::UseSecurityFromFlags(); !status.ok()) {
    return FailWith(kUsage, status);
  }
  const auto streets = roads::Streets::Load(settings->roads);
  if (!streets.ok()) return FailWith(kUsage, streets.status());
  auto demand = loadtest::MakeDemand(*settings, **streets);
  if (!demand.ok()) return FailWith(kUsage, demand.status());
  auto options = loadtest::MakeCityOptions(*settings, **streets);
  if (!options.ok()) return FailWith(kUsage, options.status());
  std::ofstream json;
  if (!settings->json.empty()) {
    json.open(settings->json);
    if (!json) return FailWith(kUsage, loadtest::CantWrite("json", settings->json));
  }

  const std::shared_ptr<const Clock> clock = service::MakeClock();
  std::unique_ptr<loadtest::OfferLog> offer_log;
  if (!settings->offers.empty()) {
    auto opened = loadtest::OfferLog::Open(settings->offers, clock);
    if (!opened.ok()) return FailWith(kUsage, opened.status());
    offer_log = *std::move(opened);
    options->offer_log = offer_log.get();
  }

  loadtest::City city(*std::move(options), **streets, *std::move(demand), clock);
  const auto report = city.Run();
  if (!report.ok()) return FailWith(kUnreachable, report.status());
  std::fputs(loadtest::ToText(*report).c_str(), stdout);
  std::fflush(stdout);
  if (json.is_open() && !(json << loadtest::ToJson(*report).dump(2) << "\n").flush()) {
    return FailWith(kViolations, loadtest::CantWrite("json", settings->json));
  }
  return report->verdict.clean() && !report->is_unsettled ? kClean : kViolations;
}
