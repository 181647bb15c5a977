#include "libs/tracing/otlp/otlp_exporter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "grpcpp/grpcpp.h"
#include "libs/base/mutex.h"
#include "libs/base/worker.h"
#include "libs/rpc/server.h"
#include "libs/testing/captured_log.h"
#include "libs/testing/status_matchers.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.grpc.pb.h"

namespace ridestream::tracing {
namespace {

using namespace std::chrono_literals;
using opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest;
using opentelemetry::proto::collector::trace::v1::ExportTraceServiceResponse;
using opentelemetry::proto::collector::trace::v1::TraceService;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// Remembers the names of the spans of each batch; answers as the test says.
class FakeCollector final : public TraceService::CallbackService {
 public:
  grpc::ServerUnaryReactor* Export(grpc::CallbackServerContext* context,
                                   const ExportTraceServiceRequest* request,
                                   ExportTraceServiceResponse* response) override {
    MutexLock lock(mu_);
    std::vector<std::string>& names = batches_.emplace_back();
    for (const auto& span : request->resource_spans(0).scope_spans(0).spans()) {
      names.push_back(span.name());
    }
    *response = response_;
    auto* reactor = context->DefaultReactor();
    reactor->Finish(status_);
    return reactor;
  }

  void Answer(grpc::Status status, int rejected_spans = 0) {
    MutexLock lock(mu_);
    status_ = std::move(status);
    response_.mutable_partial_success()->set_rejected_spans(rejected_spans);
  }
  std::vector<std::vector<std::string>> batches() {
    MutexLock lock(mu_);
    return batches_;
  }

 private:
  Mutex mu_;
  std::vector<std::vector<std::string>> batches_ ABSL_GUARDED_BY(mu_);
  ExportTraceServiceResponse response_ ABSL_GUARDED_BY(mu_);
  grpc::Status status_ ABSL_GUARDED_BY(mu_);
};

/// Works when the test says so, on the test's thread.
class ManualExecutor final : public Executor {
 public:
  std::unique_ptr<Worker> Start(Worker::Work work) override {
    work_ = std::move(work);
    return std::make_unique<ManualWorker>(*this);
  }
  std::optional<std::chrono::nanoseconds> Work() { return work_(); }
  int wakes() const { return wakes_; }

 private:
  class ManualWorker final : public Worker {
   public:
    explicit ManualWorker(ManualExecutor& executor) : executor_(executor) {}
    void Wake() override { ++executor_.wakes_; }

   private:
    ManualExecutor& executor_;
  };

  Worker::Work work_;
  int wakes_ = 0;
};

class OtlpExporterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto server = rpc::Server::Start({.services = {&collector_}});
    ASSERT_THAT(server, testing::IsOk());
    server_ = *std::move(server);
  }
  OtlpExporter::Options Options() const {
    return {.target = server_->address(),
            .resource = {{"service.name", std::string("test")}},
            .max_waiting = 4,
            .batch = 2,
            .every = 1s,
            .timeout = 10s};
  }
  static SpanData Named(const char* name) {
    SpanData span;
    span.context = {.trace_id = {1, 2}, .span_id = {3}, .sampled = true};
    span.name = name;
    return span;
  }

  FakeCollector collector_;
  std::unique_ptr<rpc::Server> server_;
  ManualExecutor executor_;
};

TEST_F(OtlpExporterTest, SendsSpansInBatches) {
  OtlpExporter exporter(Options(), executor_);
  EXPECT_EQ(executor_.Work(), 1s) << "nothing waits";
  EXPECT_THAT(collector_.batches(), IsEmpty());
  exporter.Add(Named("a"));
  EXPECT_EQ(executor_.wakes(), 0) << "a batch that isn't full leaves in its time";
  exporter.Add(Named("b"));
  EXPECT_EQ(executor_.wakes(), 1) << "a full batch leaves at once";
  exporter.Add(Named("c"));
  exporter.Add(Named("d"));
  EXPECT_EQ(executor_.Work(), 0s) << "a full batch still waits";
  EXPECT_EQ(executor_.Work(), 1s);
  EXPECT_THAT(collector_.batches(), ElementsAre(ElementsAre("a", "b"), ElementsAre("c", "d")));
  EXPECT_EQ(exporter.figures().exported, 4u);
  EXPECT_EQ(exporter.figures().dropped, 0u);
}

TEST_F(OtlpExporterTest, DropsSpansWhenTheQueueIsFull) {
  OtlpExporter exporter(Options(), executor_);
  for (const char* name : {"a", "b", "c", "d", "e", "f"}) exporter.Add(Named(name));
  const Figures figures = exporter.figures();
  EXPECT_EQ(figures.waiting, 4u);
  EXPECT_EQ(figures.bound, 4u);
  EXPECT_EQ(figures.dropped, 2u);
}

TEST_F(OtlpExporterTest, CountsTheSpansThatTheCollectorRefuses) {
  OtlpExporter exporter(Options(), executor_);
  collector_.Answer(grpc::Status::OK, 1);
  exporter.Add(Named("a"));
  exporter.Add(Named("b"));
  executor_.Work();
  EXPECT_EQ(exporter.figures().exported, 1u);
  EXPECT_EQ(exporter.figures().dropped, 1u);
}

TEST_F(OtlpExporterTest, LogsOnceThatExportingFailsAndOnceThatItWorksAgain) {
  const testing::CapturedLog log;
  OtlpExporter exporter(Options(), executor_);
  collector_.Answer({grpc::StatusCode::PERMISSION_DENIED, "not here"});
  for (const char* name : {"a", "b"}) {
    exporter.Add(Named(name));
    executor_.Work();
  }
  EXPECT_EQ(exporter.figures().dropped, 2u);
  collector_.Answer(grpc::Status::OK);
  for (const char* name : {"c", "d"}) {
    exporter.Add(Named(name));
    executor_.Work();
  }
  EXPECT_EQ(exporter.figures().exported, 2u);
  exporter.Stop();
  const std::string text = log.text();
  EXPECT_THAT(text, HasSubstr("trace_export_failed"));
  EXPECT_THAT(text, HasSubstr("not here"));
  EXPECT_EQ(text.find("trace_export_failed"), text.rfind("trace_export_failed"));
  EXPECT_EQ(text.find("trace_export_resumed"), text.rfind("trace_export_resumed"));
  EXPECT_THAT(text, HasSubstr("trace_export_resumed"));
}

TEST_F(OtlpExporterTest, SendsQueuedSpansWhenItStops) {
  OtlpExporter exporter(Options(), executor_);
  for (const char* name : {"a", "b", "c"}) exporter.Add(Named(name));
  exporter.Stop();
  EXPECT_THAT(collector_.batches(), ElementsAre(ElementsAre("a", "b"), ElementsAre("c")));
  exporter.Add(Named("late"));
  exporter.Add(Named("later"));
  EXPECT_EQ(exporter.figures().waiting, 2u);
}

TEST_F(OtlpExporterTest, StopsWithoutWaitingForAnUnreachableCollector) {
  server_->Drain(0ms);
  OtlpExporter::Options options = Options();
  options.timeout = 200ms;
  OtlpExporter exporter(options, executor_);
  for (const char* name : {"a", "b", "c", "d"}) exporter.Add(Named(name));
  exporter.Stop();
  EXPECT_EQ(exporter.figures().dropped, 2u) << "one batch was tried";
  EXPECT_EQ(exporter.figures().waiting, 2u);
}

TEST_F(OtlpExporterTest, ExportsOnItsOwnThread) {
  ThreadExecutor threads;
  OtlpExporter::Options options = Options();
  options.every = 1h;
  OtlpExporter exporter(options, threads);
  exporter.Add(Named("a"));
  exporter.Add(Named("b"));
  exporter.Stop();  // Also waits for a batch under way.
  std::vector<std::string> names;
  for (const auto& batch : collector_.batches())
    names.insert(names.end(), batch.begin(), batch.end());
  EXPECT_THAT(names, ElementsAre("a", "b"));
}

}  // namespace
}  // namespace ridestream::tracing
