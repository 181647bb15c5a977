#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/flags/declare.h"
#include "absl/status/status.h"
#include "libs/base/clock.h"

ABSL_DECLARE_FLAG(double, clock_rate);

/// Functions that every binary calls around its own work: flags, logs, signals.
namespace ridestream::service {

/// Parses the command line; for each flag NAME that isn't on it, reads the environment variable
/// RIDESTREAM_<NAME in capitals>. `usage` is shown by --help above the flags. Sets up logging
/// (--log_level, --log_format) under `name`, raises the limit of open files to the maximum, and
/// blocks SIGTERM and SIGINT for all threads that start later, so it must be called first. Exits
/// with 2 and a message for an invalid flag.
void Initialize(int argc, char** argv, std::string_view name, std::string_view usage);
/// The same for a program that takes arguments besides flags; returns the arguments.
std::vector<std::string> InitializeWithArguments(int argc, char** argv, std::string_view name,
                                                 std::string_view usage);

/// The clock with the rate of --clock_rate.
std::shared_ptr<const Clock> MakeClock();

/// Waits for SIGTERM or SIGINT, and returns its name.
std::string_view WaitForStopSignal();
/// Waits for SIGTERM or SIGINT, then calls `drain`. Logs "draining" with the signal before, and
/// "stopped" after.
void DrainOnStopSignal(const std::function<void()>& drain);
/// Waits for SIGTERM or SIGINT for at most `time`; empty if none came.
std::string_view WaitForStopSignal(std::chrono::nanoseconds time);

/// From now on, SIGTERM and SIGINT end the process at once. Call it on main()'s thread.
void LetStopSignalsEndTheProcess();

/// Ends the current or the next wait for a stop signal, as SIGTERM does.
void RequestStop();

/// A field of a log line. A field with an empty value is omitted.
struct Field {
  std::string_view key;
  std::string value;
};
enum class Level { kDebug, kInfo, kWarning, kError };

/// Logs one line for an event: time, level, service, event, fields; as text or JSON by
/// --log_format. Thread-safe and never blocks: a separate thread writes the lines. If more than
/// 4,096 lines wait, the oldest are dropped and counted.
void Log(Level level, std::string_view event, std::initializer_list<Field> fields = {});

/// Number of dropped lines so far.
std::uint64_t DroppedLogLines();

/// For main() of a service: logs the status as the event "failed" and returns 1.
int Fail(const absl::Status& status);
/// For main() of a command-line tool: prints `NAME: message` to stderr, with the message's line
/// breaks, and returns 1.
int PrintFailure(const absl::Status& status);

/// Logs the event as an error, ahead of waiting lines, and ends the process with status 1
/// immediately, whatever its other threads are doing.
[[noreturn]] void EndProcess(std::string_view event, std::initializer_list<Field> fields = {});

/// Announces that the service is ready: logs the event "serving", at every --log_level, with
/// `address` and the fields, and writes `address`, "metrics", "page" and "grpc" to --address_file.
/// Ends the process if the file can't be written, because the process that waits for it would wait
/// forever.
void LogServing(std::string_view address, std::initializer_list<Field> fields);

}  // namespace ridestream::service
