#include "services/dispatch/runner/command_sender.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "libs/rpc/stale_term.h"
#include "libs/service/service.h"
#include "services/dispatch/runner/trip_times.h"

namespace ridestream::dispatch {
namespace {

constexpr std::chrono::milliseconds kCommandTimeout{5'000};
constexpr std::chrono::milliseconds kSurgeTimeout{2'000};

const char* NameOf(const TripRequest& request) {
  struct Names {
    const char* operator()(const trip::v1::AssignTripRequest&) { return "assign"; }
    const char* operator()(const trip::v1::AdvanceTripRequest&) { return "advance"; }
    const char* operator()(const trip::v1::ReleaseTripRequest&) { return "release"; }
    const char* operator()(const trip::v1::GiveUpTripRequest&) { return "give_up"; }
    const char* operator()(const trip::v1::ReportDriverLostRequest&) {
      return "report_driver_lost";
    }
    const char* operator()(const trip::v1::CancelTripRequest&) { return "cancel"; }
  };
  return std::visit(Names(), request);
}

}  // namespace

CommandSender::CommandSender(std::string market, Dependencies surroundings)
    : market_(std::move(market)), dependencies_(std::move(surroundings)) {}

void CommandSender::Send(TripCommand command) {
  const std::string trip_id = TripOf(command.request).str();
  CallOptions options{kCommandTimeout};
  if (std::string request = dependencies_.requests.RequestOf(trip_id); !request.empty()) {
    options.request_ids.push_back(std::move(request));
  }
  if (dependencies_.rides != nullptr) options.traceparent = dependencies_.rides->TraceOf(trip_id);
  const char* const name = NameOf(command.request);
  const std::optional<std::uint64_t> term = dependencies_.lease.TermToActIn();
  if (!term) {
    dependencies_.events.PostAlways(
        CommandDone{command.command,
                    absl::UnavailableError("this process may no longer hold the market's lease")});
    return;
  }
  std::visit([&](auto& request) { request.set_term(*term); }, command.request);
  dependencies_.trip.Execute(
      std::move(command.request), options,
      [this, name, trip_id, id = command.command](absl::StatusOr<trip::v1::Trip> trip) {
        dependencies_.on_ended(name, trip.status().code());
        if (rpc::IsStaleTerm(trip.status())) {
          dependencies_.lease.OnTermRefused();
          trip = absl::UnavailableError(std::string(trip.status().message()));
        }
        if (trip.ok()) ShiftTimes(dependencies_.trip_to_ours(), *trip);
        dependencies_.requests.LogCommand(name, trip_id, trip.status());
        dependencies_.events.PostAlways(CommandDone{id, std::move(trip)});
      });
}

void CommandSender::Send(const SetSurge& surge) {
  const std::optional<std::uint64_t> term = dependencies_.lease.TermToActIn();
  if (!term) return;
  trip::v1::ReportSurgeRequest request;
  request.set_market(market_);
  request.set_term(*term);
  for (const auto& [id, percent] : surge.cells) {
    trip::v1::SurgeCell& cell = *request.add_cells();
    cell.set_s2_cell_id(id);
    cell.set_surge_percent(percent);
  }
  dependencies_.trip.ReportSurge(
      std::move(request), {kSurgeTimeout}, [this](const absl::Status& status) {
        // A lasting surge is reported again, and the trip service drops it otherwise.
        if (status.ok()) return;
        if (rpc::IsStaleTerm(status)) dependencies_.lease.OnTermRefused();
        service::Log(service::Level::kWarning, "surge_report_failed",
                     {{"market", market_}, {"error", std::string(status.message())}});
      });
}

}  // namespace ridestream::dispatch
