#include "libs/metrics/process_figures.h"

#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

namespace ridestream::metrics {
namespace {

using Samples = std::vector<Readings::Sample>;

Samples One(std::optional<double> value) { return value ? Samples{{{}, *value}} : Samples{}; }

std::optional<double> CountEntries(const char* folder) {
  std::error_code error;
  std::filesystem::directory_iterator entries(folder, error);
  double count = 0;
  for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
    ++count;
  }
  if (error) return std::nullopt;
  return count;
}

/// A field of /proc/self/statm in bytes: 0 is total memory, 1 is resident memory.
std::optional<double> MemoryBytes(int field) {
  std::ifstream file("/proc/self/statm");
  double pages = 0;
  for (int i = 0; i <= field; ++i) file >> pages;
  if (!file) return std::nullopt;
  return pages * static_cast<double>(sysconf(_SC_PAGESIZE));
}

std::optional<double> CpuSeconds() {
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) != 0) return std::nullopt;
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::optional<double> MaxFiles() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return std::nullopt;
  return static_cast<double>(limit.rlim_cur);
}

/// Excludes the descriptor that is open for counting.
std::optional<double> OpenFiles() {
  const auto entries = CountEntries("/proc/self/fd");
  if (!entries) return std::nullopt;
  return *entries - 1;
}

}  // namespace

void AddProcessFigures(Readings& readings) {
  using Kind = Readings::Kind;
  const double started_at =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  readings.AddOne(Kind::kGauge, "process_start_time_seconds",
                  "Start of the process, in seconds since 1970", [=] { return started_at; });
  readings.Add(Kind::kCounter, "process_cpu_seconds_total", "CPU time, user and system, in seconds",
               [] { return One(CpuSeconds()); });
  readings.Add(Kind::kGauge, "process_resident_memory_bytes", "Resident memory in bytes",
               [] { return One(MemoryBytes(1)); });
  readings.Add(Kind::kGauge, "process_virtual_memory_bytes", "Virtual memory in bytes",
               [] { return One(MemoryBytes(0)); });
  readings.Add(Kind::kGauge, "process_open_fds", "Open files and sockets",
               [] { return One(OpenFiles()); });
  readings.Add(Kind::kGauge, "process_max_fds", "Limit of open files and sockets",
               [] { return One(MaxFiles()); });
  readings.Add(Kind::kGauge, "process_threads", "Threads",
               [] { return One(CountEntries("/proc/self/task")); });
}

}  // namespace ridestream::metrics
