#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/process/door.h"
#include "libs/process/local_services.h"

namespace ridestream::supervisor {

/// The signals that Supervise waits for. Blocks them for this thread and all that it starts, so it
/// comes first in main().
void BlockSignals();

/// Runs `command` beside `services` until it ends, or until a signal where the command is empty.
/// The command finds the services in its environment: RIDESTREAM_TRIP, _LOCATION, _DISPATCH and
/// _GATEWAY hold their addresses, which are also the flags of Ridestream's programs, and
/// RIDESTREAM_TRIP_METRICS and so on those of their metrics. Where there is a `door`, which may be
/// null, RIDESTREAM_TRIP and RIDESTREAM_DISPATCH hold its address. `more` is added to the
/// command's environment.
///
/// The first two of SIGINT, SIGTERM and SIGHUP are passed on to the command as SIGTERM, so that it
/// can end in order, and then at once; the third kills it.
///
/// Returns the command's exit status (128 + the signal that ended it), or 0 when a signal ended the
/// wait. NOT_FOUND when the command can't be started, UNAVAILABLE naming the service, or the door,
/// when one ends by itself; the command is then stopped as by a signal.
absl::StatusOr<int> Supervise(const process::LocalServices& services, const process::Door* door,
                              const std::vector<std::string>& command,
                              const std::map<std::string, std::string>& more = {});

}  // namespace ridestream::supervisor
