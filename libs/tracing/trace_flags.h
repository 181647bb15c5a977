#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "libs/tracing/otlp/otlp_exporter.h"

namespace ridestream::tracing {

/// Traces this process while it lives. Make it first in main(), after service::Initialize, so that
/// it is destroyed after all that is traced.
class TracedProcess {
 public:
  /// As the flags that all services have say: --trace_to, --trace_sample and --trace_slow. Without
  /// --trace_to nothing is traced. `service` is the span attribute service.name.
  /// INVALID_ARGUMENT when --trace_to isn't HOST:PORT.
  static absl::StatusOr<TracedProcess> StartFromFlags(const std::string& service);

  TracedProcess(TracedProcess&&) = default;
  TracedProcess& operator=(TracedProcess&&) = delete;
  /// Exports the spans that wait; see OtlpExporter::Stop.
  ~TracedProcess();

 private:
  TracedProcess() = default;

  std::shared_ptr<OtlpExporter> exporter_;  // The process's tracer has it, too. Null: off.
};

}  // namespace ridestream::tracing
