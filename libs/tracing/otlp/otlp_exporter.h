#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "grpcpp/channel.h"
#include "libs/base/mutex.h"
#include "libs/base/worker.h"
#include "libs/tracing/process_tracer.h"
#include "libs/tracing/span_queue.h"
#include "libs/tracing/tracer.h"

namespace ridestream::tracing {

/// Sends spans to a collector by OTLP over gRPC, in batches, on a thread of its own: adding a span
/// takes a lock for some nanoseconds and never waits for the network. When the collector is away or
/// slow, spans wait in a bounded queue, and those that find it full are dropped; a batch that fails
/// for longer than the retries last is dropped. The log says when exporting begins to fail and when
/// it works again. Thread-safe.
class OtlpExporter final : public SpanSink {
 public:
  struct Options {
    /// HOST:PORT of the collector, in plaintext.
    std::string target = {};
    /// Describes the process: service.name and the like.
    std::vector<Attribute> resource = {};
    std::size_t max_waiting = 8'192;
    std::size_t batch = 512;
    /// A batch leaves when it is full, and after this wall-clock time.
    std::chrono::nanoseconds every = std::chrono::seconds(1);
    /// Wall-clock deadline of a batch, gRPC's retries included.
    std::chrono::milliseconds timeout{2'000};
  };

  OtlpExporter(Options options, Executor& executor);
  ~OtlpExporter() override { Stop(); }

  void Add(SpanData span) override;

  /// Exports what waits, until a batch fails, and ends: at most two deadlines while the collector
  /// doesn't answer. Spans that are added later wait for ever. Once.
  void Stop();

  Figures figures() const;

 private:
  /// Exports a batch. Returns when there is the next.
  std::optional<std::chrono::nanoseconds> Step();
  /// False if the batch was lost.
  bool Export(const std::vector<SpanData>& spans);
  void LogChange(bool fails, const std::string& error);

  const Options options_;
  SpanQueue queue_;
  std::shared_ptr<grpc::Channel> channel_;
  std::atomic<std::uint64_t> exported_ = 0;
  std::atomic<std::uint64_t> lost_ = 0;
  bool fails_ = false;  // Of the worker, then of Stop.
  Mutex mu_;
  std::unique_ptr<Worker> worker_ ABSL_GUARDED_BY(mu_);  // Last, since it uses all the others.
};

}  // namespace ridestream::tracing
