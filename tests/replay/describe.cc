#include "tests/replay/describe.h"

#include <fmt/format.h>

#include <variant>

#include "tests/sim/describe.h"

namespace ridestream::replay {

std::string Describe(const dispatch::Decision& decision) {
  struct {
    std::string operator()(const dispatch::SendWelcome& d) const {
      return fmt::format("welcome {} epoch {}", d.driver, d.epoch);
    }
    std::string operator()(const dispatch::Push& d) const {
      return fmt::format("push to {}: {}", d.driver, sim::Describe(d.message));
    }
    std::string operator()(const dispatch::EndSession& d) const {
      return fmt::format("end session of {} epoch {}", d.driver, d.epoch);
    }
    std::string operator()(const dispatch::SetAvailability& d) const {
      return fmt::format("availability of {}: {}, {} free seats{}", d.driver,
                         location::v1::DriverState_Name(d.state), d.free_seats,
                         d.wants_positions ? ", positions wanted" : "");
    }
    std::string operator()(const dispatch::FindCandidates& d) const {
      return fmt::format("round {}: find candidates for {} trips, {} moves", d.round,
                         d.queries.size(), d.moves.size());
    }
    std::string operator()(const dispatch::FindRoute& d) const {
      return fmt::format("find route {} of {} over {} stops", d.request, d.driver, d.stops.size());
    }
    std::string operator()(const dispatch::TripCommand& d) const {
      return fmt::format("command {}: {}", d.command, sim::Describe(d.request));
    }
    std::string operator()(const dispatch::StepJudged& d) const {
      return fmt::format("step of {} for {}: {}", d.driver, d.trip,
                         trip::v1::StepPlausibility_Name(d.plausibility));
    }
    std::string operator()(const dispatch::ReportProgress& d) const {
      return "progress: " + d.progress.ShortDebugString();
    }
    std::string operator()(const dispatch::StreetsDriven& d) const {
      return fmt::format("streets driven: {} points", d.points.size());
    }
    std::string operator()(const dispatch::SetSurge& d) const {
      return fmt::format("surge in {} cells", d.cells.size());
    }
  } describe;
  return std::visit(describe, decision);
}

}  // namespace ridestream::replay
