#include "tests/chaos/outcomes.h"

#include <chrono>

#include "libs/service/service.h"

namespace ridestream::chaos {

bool StopAsked() { return !service::WaitForStopSignal(std::chrono::nanoseconds(0)).empty(); }

int ExitStatusOf(const std::vector<absl::Status>& outcomes) {
  int exit_status = 0;
  for (const absl::Status& outcome : outcomes) {
    if (!outcome.ok()) exit_status = service::PrintFailure(outcome);
  }
  return exit_status;
}

}  // namespace ridestream::chaos
