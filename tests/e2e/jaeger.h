#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/process/child_process.h"
#include "libs/testing/temp_folder.h"
#include "libs/tracing/collector/span_collector.h"

namespace ridestream::e2e {

/// A Jaeger (deploy/jaeger) on free ports of 127.0.0.1, which keeps its traces in memory. Not
/// thread-safe.
class Jaeger {
 public:
  /// Returns when Jaeger takes spans and answers queries. NOT_FOUND, with what to run, when it
  /// isn't built: its binary is build/jaeger/jaeger, or the one that RIDESTREAM_JAEGER names.
  static absl::StatusOr<std::unique_ptr<Jaeger>> Start();

  /// HOST:PORT, where it takes spans by OTLP over gRPC.
  const std::string& otlp_address() const { return otlp_address_; }

  /// The trace as its query API /api/traces/ID serves it; empty when Jaeger doesn't have it (yet).
  /// INVALID_ARGUMENT when the answer isn't what Jaeger's user interface reads.
  absl::StatusOr<std::vector<tracing::CollectedSpan>> Read(const tracing::TraceId& trace) const;

 private:
  Jaeger();
  absl::Status Launch(const std::string& binary);

  const ridestream::testing::TempFolder folder_;
  const std::string otlp_address_;
  const std::string query_address_;
  const std::string admin_address_;
  std::unique_ptr<process::ChildProcess> process_;
};

/// Reads the JSON of /api/traces/ID: each span with its service, without logs and warnings.
absl::StatusOr<std::vector<tracing::CollectedSpan>> ParseJaegerTraces(const std::string& json);

}  // namespace ridestream::e2e
