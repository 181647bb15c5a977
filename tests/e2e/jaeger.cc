#include "tests/e2e/jaeger.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <thread>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "libs/metrics/testing/scrape.h"
#include "libs/process/free_port.h"

namespace ridestream::e2e {
namespace {

using google::protobuf::ListValue;
using google::protobuf::Struct;
using google::protobuf::Value;

constexpr std::chrono::seconds kStartPatience{30};
constexpr std::chrono::milliseconds kLookEvery{20};

std::string FreeAddress() { return fmt::format("127.0.0.1:{}", process::FreePort()); }

/// An empty value where the object has no such field.
const Value& At(const Struct& object, const std::string& name) {
  static const Value kNone;
  const auto found = object.fields().find(name);
  return found == object.fields().end() ? kNone : found->second;
}

std::string TextAt(const Struct& object, const std::string& name) {
  return At(object, name).string_value();
}

/// 0, which is no id, for anything but hexadecimal digits. Jaeger leaves leading zeros out.
std::uint64_t FromHex(std::string_view digits) {
  std::uint64_t number = 0;
  return absl::SimpleHexAtoi(absl::string_view(digits.data(), digits.size()), &number) ? number : 0;
}

tracing::TraceId ToTraceId(std::string_view digits) {
  if (digits.size() <= 16) return {0, FromHex(digits)};
  const std::size_t high = digits.size() - 16;
  return {FromHex(digits.substr(0, high)), FromHex(digits.substr(high))};
}

Time FromMicros(double micros) {
  return Time(std::chrono::duration_cast<Duration>(
      std::chrono::microseconds(static_cast<std::int64_t>(micros))));
}

tracing::SpanKind ToKind(const std::string& kind) {
  if (kind == "server") return tracing::SpanKind::kServer;
  if (kind == "client") return tracing::SpanKind::kClient;
  if (kind == "producer") return tracing::SpanKind::kProducer;
  if (kind == "consumer") return tracing::SpanKind::kConsumer;
  return tracing::SpanKind::kInternal;
}

/// Jaeger shows also the kind, the status and the tracer's name as tags.
void AddTag(const Struct& tag, tracing::SpanData& span) {
  const std::string key = TextAt(tag, "key");
  const Value& value = At(tag, "value");
  if (key == "span.kind") {
    span.kind = ToKind(value.string_value());
  } else if (key == "error") {
    span.status = tracing::SpanStatus::kError;
  } else if (key == "otel.status_description") {
    span.status_message = value.string_value();
  } else if (key == "otel.status_code" || key == "otel.scope.name" || key == "otel.scope.version" ||
             key == "internal.span.format" || key == "w3c.tracestate") {
  } else if (TextAt(tag, "type") == "bool") {
    span.attributes.push_back({key, value.bool_value()});
  } else if (TextAt(tag, "type") == "int64") {
    span.attributes.push_back({key, static_cast<std::int64_t>(value.number_value())});
  } else if (TextAt(tag, "type") == "float64") {
    span.attributes.push_back({key, value.number_value()});
  } else {
    span.attributes.push_back({key, value.string_value()});
  }
}

tracing::SpanData ToSpanData(const Struct& json) {
  tracing::SpanData span;
  span.context = {.trace_id = ToTraceId(TextAt(json, "traceID")),
                  .span_id = {FromHex(TextAt(json, "spanID"))},
                  .sampled = true};
  span.name = TextAt(json, "operationName");
  span.start = FromMicros(At(json, "startTime").number_value());
  span.end = span.start + (FromMicros(At(json, "duration").number_value()) - FromMicros(0));
  for (const Value& value : At(json, "references").list_value().values()) {
    const Struct& reference = value.struct_value();
    const tracing::SpanContext to = {.trace_id = ToTraceId(TextAt(reference, "traceID")),
                                     .span_id = {FromHex(TextAt(reference, "spanID"))}};
    if (TextAt(reference, "refType") == "CHILD_OF") {
      span.parent = to.span_id;
    } else {
      span.links.push_back({.context = to});
    }
  }
  for (const Value& tag : At(json, "tags").list_value().values()) AddTag(tag.struct_value(), span);
  return span;
}

}  // namespace

absl::StatusOr<std::vector<tracing::CollectedSpan>> ParseJaegerTraces(const std::string& json) {
  Struct answer;
  const auto parsed = google::protobuf::util::JsonStringToMessage(json, &answer);
  if (!parsed.ok() || !At(answer, "data").has_list_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat("Jaeger's answer has no list of traces: ", json));
  }
  std::vector<tracing::CollectedSpan> spans;
  for (const Value& trace : At(answer, "data").list_value().values()) {
    const Struct& processes = At(trace.struct_value(), "processes").struct_value();
    for (const Value& span : At(trace.struct_value(), "spans").list_value().values()) {
      const Struct& process =
          At(processes, TextAt(span.struct_value(), "processID")).struct_value();
      spans.push_back({TextAt(process, "serviceName"), ToSpanData(span.struct_value())});
    }
  }
  return spans;
}

Jaeger::Jaeger()
    : otlp_address_(FreeAddress()), query_address_(FreeAddress()), admin_address_(FreeAddress()) {}

absl::StatusOr<std::unique_ptr<Jaeger>> Jaeger::Start() {
  const char* named = std::getenv("RIDESTREAM_JAEGER");
  const std::string binary = named == nullptr ? "build/jaeger/jaeger" : named;
  if (access(binary.c_str(), X_OK) != 0) {
    return absl::NotFoundError("there is no Jaeger here; ./ride jaeger builds it");
  }
  auto jaeger = std::unique_ptr<Jaeger>(new Jaeger());
  absl::Status status = jaeger->Launch(binary);
  if (!status.ok()) return status;
  return jaeger;
}

absl::Status Jaeger::Launch(const std::string& binary) {
  auto process = process::ChildProcess::Start(
      {.binary = binary,
       .arguments = {"--log-level=warn", "--admin.http.host-port=" + admin_address_,
                     "--collector.otlp.grpc.host-port=" + otlp_address_,
                     "--query.http-server.host-port=" + query_address_,
                     // Not used, but they would take fixed ports.
                     "--collector.otlp.http.host-port=" + FreeAddress(),
                     "--collector.grpc-server.host-port=" + FreeAddress(),
                     "--collector.http-server.host-port=" + FreeAddress(),
                     "--query.grpc-server.host-port=" + FreeAddress()},
       .log_path = folder_.File("log"),
       // Else it traces itself.
       .environment = {{"SPAN_STORAGE_TYPE", "memory"}, {"OTEL_TRACES_SAMPLER", "always_off"}}});
  if (!process.ok()) return process.status();
  process_ = *std::move(process);
  // The health check answers 503 until all servers listen.
  const auto end = std::chrono::steady_clock::now() + kStartPatience;
  while (!metrics::testing::HttpGet(admin_address_, "/").ok()) {
    if (process_->HasEnded() || std::chrono::steady_clock::now() > end) {
      return absl::UnavailableError("Jaeger doesn't start: " + process_->LogEnd());
    }
    std::this_thread::sleep_for(kLookEvery);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<tracing::CollectedSpan>> Jaeger::Read(
    const tracing::TraceId& trace) const {
  const auto answer = metrics::testing::HttpGet(query_address_, "/api/traces/" + trace.ToHex());
  if (answer.ok()) return ParseJaegerTraces(*answer);
  if (absl::IsInternal(answer.status()) &&
      answer.status().message().find("trace not found") != absl::string_view::npos) {
    return std::vector<tracing::CollectedSpan>{};
  }
  return answer.status();
}

}  // namespace ridestream::e2e
