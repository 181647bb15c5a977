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

/// What every binary does before and after its own work: flags, logs, signals.
namespace ridestream::service {

/// Reads the command line, and for each flag NAME that isn't on it the environment variable
/// RIDESTREAM_<NAME in capitals>. `usage` is what --help shows above the flags. Sets up logging
/// (--log_level, --log_format) under `name`, raises the limit of open files as far as the process
/// may, and blocks SIGTERM and SIGINT for all future threads, so call it first. Exits with 2 and a
/// message for a flag that is wrong.
void Initialize(int argc, char** argv, std::string_view name, std::string_view usage);
/// The same for a program that takes arguments besides flags; returns them.
std::vector<std::string> InitializeWithArguments(int argc, char** argv, std::string_view name,
                                                 std::string_view usage);

/// The clock that --clock_rate asks for.
std::shared_ptr<const Clock> MakeClock();

/// Waits until SIGTERM or SIGINT comes; returns its name.
std::string_view WaitForStopSignal();
/// Waits likewise, then calls `drain`; logs "draining" with the signal before and "stopped" after.
void DrainOnStopSignal(const std::function<void()>& drain);
/// The same, for at most so long: empty when none came. To a tool each says "enough of this".
std::string_view WaitForStopSignal(std::chrono::nanoseconds time);

/// From here on SIGTERM and SIGINT end the process at once. Call it on main()'s thread.
void LetStopSignalsEndTheProcess();

/// Ends a wait for a stop signal, now or when it begins, as SIGTERM does.
void RequestStop();

/// A field of a log line. One whose value is empty is left out.
struct Field {
  std::string_view key;
  std::string value;
};
enum class Level { kDebug, kInfo, kWarning, kError };

/// One line an event: time, level, service, event, fields; text or JSON by --log_format.
/// Thread-safe, and never blocks: lines are written by a thread of their own. When it can't keep up
/// with more than 4,096 of them, the oldest that wait are dropped and counted.
void Log(Level level, std::string_view event, std::initializer_list<Field> fields = {});

/// Lines that were dropped so far.
std::uint64_t DroppedLogLines();

/// For main() of a service: logs the status as the event "failed" and returns 1.
int Fail(const absl::Status& status);
/// For main() of a tool that people run: prints `NAME: message` to stderr, with the message's own
/// line breaks, and returns 1.
int PrintFailure(const absl::Status& status);

/// Logs the event as an error, past the lines that still wait, and ends the process with status 1
/// at once, whatever its other threads do.
[[noreturn]] void EndProcess(std::string_view event, std::initializer_list<Field> fields = {});

/// Announces that the service is ready and where: logs the event "serving", at any --log_level,
/// with `address` and the fields, and writes --address_file with `address`, "metrics" and "page".
/// If it can't be written, the process ends, since its starter would wait forever.
void LogServing(std::string_view address, std::initializer_list<Field> fields);

}  // namespace ridestream::service
