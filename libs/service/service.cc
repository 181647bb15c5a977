#include "libs/service/service.h"

#include <fmt/format.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>
#include <span>

#include "absl/flags/commandlineflag.h"
#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/reflection.h"
#include "absl/flags/usage.h"
#include "absl/flags/usage_config.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/synchronization/mutex.h"
#include "libs/service/address_file.h"
#include "libs/service/flag_range.h"
#include "libs/service/log_line.h"

RIDESTREAM_RANGED_FLAG(double, clock_rate, 1.0,
                       "Speed of the city's clock relative to the wall clock. All processes of a "
                       "system need the same rate",
                       0.1, 100);
ABSL_FLAG(
    std::string, address_file, "",
    "File to which the service writes its addresses once it is ready, one NAME=VALUE per "
    "line: address, grpc (the gRPC library that is loaded), and metrics if metrics are served");
ABSL_FLAG(std::string, log_level, "info",
          "Lowest level that is logged: debug, info, warning or error");
ABSL_FLAG(std::string, log_format, "text",
          "Format of the log on stderr, one line per event: text or json");

namespace ridestream::service {
namespace {

/// About 2 MB.
constexpr std::size_t kMaxWaitingLines = 4'096;

bool g_json = false;
// Logs at every --log_level.
std::shared_ptr<spdlog::logger> g_always;
std::string g_name;  // NOLINT(bugprone-*): set once before threads begin.

// Creates spdlog's registry before any thread starts. Its initialization guard is in a library that
// ThreadSanitizer doesn't instrument, so a later first use would be reported as a race.
[[maybe_unused]] const spdlog::logger* const g_registry_is_made = spdlog::default_logger_raw();

spdlog::level::level_enum ToSpdlog(Level level) {
  switch (level) {
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarning:
      return spdlog::level::warn;
    case Level::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

[[noreturn]] void ExitForFlag(std::string_view message) {
  std::cerr << message << "\nTry --help.\n";
  std::exit(2);
}

void ReadFlagsFromEnvironment() {
  for (const auto& [name, flag] : absl::GetAllFlags()) {
    if (!absl::EndsWith(flag->Filename(), ".cc") ||
        flag->Filename().find("absl") != absl::string_view::npos)
      continue;
    const std::string variable = fmt::format(
        "RIDESTREAM_{}", absl::AsciiStrToUpper(absl::string_view(name.data(), name.size())));
    const char* value = std::getenv(variable.c_str());
    if (value == nullptr) continue;
    std::string error;
    if (!flag->ParseFrom(value, &error)) {
      ExitForFlag(fmt::format("{}={}: {}", variable, value, error));
    }
  }
}

void SetUpLogging() {
  const std::string format = absl::GetFlag(FLAGS_log_format);
  const std::string level = absl::GetFlag(FLAGS_log_level);
  if (format != "text" && format != "json") {
    ExitForFlag(fmt::format("--log_format={}: must be text or json", format));
  }
  if (level != "debug" && level != "info" && level != "warning" && level != "error") {
    ExitForFlag(fmt::format("--log_level={}: must be debug, info, warning or error", level));
  }
  g_json = format == "json";
  spdlog::init_thread_pool(kMaxWaitingLines, 1);
  auto logger = spdlog::create_async_nb<spdlog::sinks::stderr_sink_mt>(g_name);
  logger->set_level(spdlog::level::from_str(level));
  logger->set_pattern(g_json ? "%v" : "%Y-%m-%dT%H:%M:%S.%eZ %L %n %v",
                      spdlog::pattern_time_type::utc);
  logger->flush_on(spdlog::level::info);
  g_always = logger->clone(g_name);
  g_always->set_level(spdlog::level::trace);
  spdlog::set_default_logger(std::move(logger));
}

/// Each connection takes a descriptor. The usual soft limit of 1,024 exists for programs that use
/// select().
void RaiseDescriptorLimit() {
  rlimit descriptors{};
  if (getrlimit(RLIMIT_NOFILE, &descriptors) != 0) return;
  descriptors.rlim_cur = descriptors.rlim_max;
  // On failure the old limit still serves, for fewer connections.
  (void)setrlimit(RLIMIT_NOFILE, &descriptors);
}

/// Returns memory to the system after a burst of connections or messages. By default glibc keeps
/// each heap at its maximum size, for up to 8 arenas per core.
void BoundMalloc() {
  mallopt(M_ARENA_MAX, 4);
  mallopt(M_TRIM_THRESHOLD, 8 << 20);
  mallopt(M_MMAP_THRESHOLD, 256 << 10);
}

sigset_t StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

void Write(spdlog::logger& logger, Level level, std::string_view event,
           std::span<const Field> fields) {
  const auto spdlog_level = ToSpdlog(level);
  if (!logger.should_log(spdlog_level)) return;
  const std::string line =
      g_json ? JsonLine(std::chrono::system_clock::now(), level, g_name, event, fields)
             : TextLine(event, fields);
  logger.log(spdlog_level, "{}", line);
}

}  // namespace

void Initialize(int argc, char** argv, std::string_view name, std::string_view usage) {
  const std::vector<std::string> rest = InitializeWithArguments(argc, argv, name, usage);
  if (!rest.empty()) ExitForFlag(fmt::format("{}: is not a flag", rest.front()));
}

std::vector<std::string> InitializeWithArguments(int argc, char** argv, std::string_view name,
                                                 std::string_view usage) {
  g_name = name;
  absl::SetProgramUsageMessage(absl::string_view(usage.data(), usage.size()));
  absl::FlagsUsageConfig config;
  // Makes --help show our flags but not those of libraries.
  config.contains_help_flags = [](absl::string_view file) {
    return absl::StrContains(file, "services/") || absl::StrContains(file, "loadtest/") ||
           absl::StrContains(file, "libs/service/") || absl::StrContains(file, "libs/rpc/") ||
           absl::StrContains(file, "libs/tracing/") || absl::StrContains(file, "tests/") ||
           absl::StrContains(file, "deploy/");
  };
  absl::SetFlagsUsageConfig(config);
  // Read first, so that the command line overrides the environment.
  ReadFlagsFromEnvironment();
  const std::vector<char*> rest = absl::ParseCommandLine(argc, argv);
  if (const absl::Status status = CheckFlagRanges(); !status.ok()) {
    ExitForFlag(std::string(status.message()));
  }
  RaiseDescriptorLimit();
  BoundMalloc();
#ifdef NDEBUG
  // Debian's Abseil is built with assertions, so each lock of its mutexes, which gRPC uses, looks
  // for deadlocks: 4 % of all CPU time with 30,000 drivers (docs/scale.md).
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
#endif
  const sigset_t signals = StopSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  SetUpLogging();  // After blocking the signals, because it starts a thread.
  return {rest.begin() + 1, rest.end()};
}

std::shared_ptr<const Clock> MakeClock() {
  return std::make_shared<ScaledClock>(absl::GetFlag(FLAGS_clock_rate));
}

std::string_view WaitForStopSignal() {
  const sigset_t signals = StopSignals();
  int signal = 0;
  sigwait(&signals, &signal);
  return signal == SIGTERM ? "SIGTERM" : "SIGINT";
}

void DrainOnStopSignal(const std::function<void()>& drain) {
  const std::string_view signal = WaitForStopSignal();
  Log(Level::kInfo, "draining", {{"signal", std::string(signal)}});
  drain();
  Log(Level::kInfo, "stopped");
}

std::string_view WaitForStopSignal(std::chrono::nanoseconds time) {
  const sigset_t signals = StopSignals();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(std::max(time, time.zero()));
  const timespec timeout{seconds.count(), (std::max(time, time.zero()) - seconds).count()};
  const int signal = sigtimedwait(&signals, nullptr, &timeout);
  if (signal < 0) return "";
  return signal == SIGTERM ? "SIGTERM" : "SIGINT";
}

void LetStopSignalsEndTheProcess() {
  const sigset_t signals = StopSignals();
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

void RequestStop() { kill(getpid(), SIGTERM); }

void Log(Level level, std::string_view event, std::initializer_list<Field> fields) {
  Write(*spdlog::default_logger_raw(), level, event, std::span(fields.begin(), fields.size()));
}

std::uint64_t DroppedLogLines() {
  const auto pool = spdlog::thread_pool();
  return pool == nullptr ? 0 : pool->overrun_counter();
}

int Fail(const absl::Status& status) {
  Log(Level::kError, "failed", {{"error", status.ToString()}});
  return 1;
}

int PrintFailure(const absl::Status& status) {
  std::cerr << fmt::format("{}: {}\n", g_name, std::string(status.message())) << std::flush;
  return 1;
}

void EndProcess(std::string_view event, std::initializer_list<Field> fields) {
  // Bypasses the queue, whose thread ends with the process.
  const auto& sinks = spdlog::default_logger_raw()->sinks();
  spdlog::logger direct(g_name, sinks.begin(), sinks.end());
  direct.flush_on(spdlog::level::err);
  Write(direct, Level::kError, event, std::span(fields.begin(), fields.size()));
  std::_Exit(1);
}

void LogServing(std::string_view address, std::initializer_list<Field> fields) {
  std::vector<Field> all{{"address", std::string(address)}};
  all.insert(all.end(), fields.begin(), fields.end());
  Write(g_always == nullptr ? *spdlog::default_logger_raw() : *g_always, Level::kInfo, "serving",
        all);
  const std::string path = absl::GetFlag(FLAGS_address_file);
  if (path.empty()) return;
  std::map<std::string, std::string> announced{{"address", std::string(address)}};
  for (const Field& field : fields) {
    if (field.key == "metrics" || field.key == "page" || field.key == "grpc")
      announced.emplace(field.key, field.value);
  }
  if (absl::Status status = WriteAddressFile(path, announced); !status.ok()) {
    Log(Level::kError, "address_file_failed", {{"error", status.ToString()}});
    kill(getpid(), SIGTERM);
  }
}

}  // namespace ridestream::service
