#include "libs/metrics/open_metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace ridestream::metrics {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

constexpr std::string_view kTotal = "_total";

/// The format demands "1.0" of a bound, for it is a float.
std::string ToText(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string Escape(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\\' || c == '"') escaped += '\\';
    if (c == '\n') {
      escaped += "\\n";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::string LabelsOf(const ClientMetric& metric, std::string_view name = "",
                     std::string_view value = "") {
  std::string labels;
  const auto add = [&labels](std::string_view key, std::string_view text) {
    fmt::format_to(std::back_inserter(labels), "{}{}=\"{}\"", labels.empty() ? "" : ",", key,
                   Escape(text));
  };
  for (const auto& label : metric.label) add(label.name, label.value);
  if (!name.empty()) add(name, value);
  return labels.empty() ? "" : "{" + labels + "}";
}

std::string ToText(const Exemplar& exemplar) {
  const std::chrono::duration<double> at = exemplar.at.time_since_epoch();
  return fmt::format(" # {{trace_id=\"{}\"}} {} {:.3f}", exemplar.trace.ToHex(),
                     ToText(exemplar.value), at.count());
}

class Writer {
 public:
  explicit Writer(const Exemplars& exemplars) : exemplars_(exemplars) {}

  void Write(const MetricFamily& family) {
    std::string_view name = family.name;
    const bool is_counter = family.type == MetricType::Counter && name.ends_with(kTotal);
    if (is_counter) name.remove_suffix(kTotal.size());
    Append("# TYPE {} {}\n", name, is_counter ? "counter" : TypeOf(family.type));
    if (!family.help.empty()) Append("# HELP {} {}\n", name, Escape(family.help));
    for (const ClientMetric& metric : family.metric) WriteSamples(family, metric);
  }
  std::string End() {
    text_ += "# EOF\n";
    return std::move(text_);
  }

 private:
  static std::string_view TypeOf(MetricType type) {
    switch (type) {
      case MetricType::Gauge:
        return "gauge";
      case MetricType::Histogram:
        return "histogram";
      case MetricType::Summary:
        return "summary";
      default:
        return "unknown";
    }
  }

  template <class... Args>
  void Append(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Args>(args)...);
  }

  void WriteSamples(const MetricFamily& family, const ClientMetric& metric) {
    const std::string& name = family.name;
    switch (family.type) {
      case MetricType::Counter:
        Append("{}{} {}\n", name, LabelsOf(metric), ToText(metric.counter.value));
        break;
      case MetricType::Gauge:
        Append("{}{} {}\n", name, LabelsOf(metric), ToText(metric.gauge.value));
        break;
      case MetricType::Histogram:
        WriteHistogram(name, metric);
        break;
      case MetricType::Summary:
        for (const auto& quantile : metric.summary.quantile) {
          Append("{}{} {}\n", name, LabelsOf(metric, "quantile", ToText(quantile.quantile)),
                 ToText(quantile.value));
        }
        Append("{}_sum{} {}\n", name, LabelsOf(metric), ToText(metric.summary.sample_sum));
        Append("{}_count{} {}\n", name, LabelsOf(metric), metric.summary.sample_count);
        break;
      default:
        Append("{}{} {}\n", name, LabelsOf(metric), ToText(metric.untyped.value));
        break;
    }
  }

  void WriteHistogram(const std::string& name, const ClientMetric& metric) {
    std::map<std::string, std::string> labels;
    for (const auto& label : metric.label) labels.emplace(label.name, label.value);
    const BucketExemplars* const exemplars = exemplars_.Find(name, labels);
    const auto& buckets = metric.histogram.bucket;
    for (std::size_t i = 0; i < buckets.size(); ++i) {
      const auto exemplar = exemplars == nullptr ? std::nullopt : exemplars->Find(i);
      // The counts were collected before: the bucket of a newer exemplar may be empty still.
      const std::uint64_t below = i == 0 ? 0 : buckets[i - 1].cumulative_count;
      const bool has_any = buckets[i].cumulative_count > below;
      Append("{}_bucket{} {}{}\n", name, LabelsOf(metric, "le", ToText(buckets[i].upper_bound)),
             buckets[i].cumulative_count, exemplar && has_any ? ToText(*exemplar) : "");
    }
    Append("{}_sum{} {}\n", name, LabelsOf(metric), ToText(metric.histogram.sample_sum));
    Append("{}_count{} {}\n", name, LabelsOf(metric), metric.histogram.sample_count);
  }

  const Exemplars& exemplars_;
  std::string text_;
};

/// The weight of a media range such as "text/plain;version=0.0.4;q=0.3"; 1 unless it has one.
double WeightOf(const std::vector<absl::string_view>& parts) {
  for (std::size_t i = 1; i < parts.size(); ++i) {
    absl::string_view part = absl::StripAsciiWhitespace(parts[i]);
    double weight = 0;
    if (absl::ConsumePrefix(&part, "q=") || absl::ConsumePrefix(&part, "Q=")) {
      return absl::SimpleAtod(part, &weight) ? weight : 0;
    }
  }
  return 1;
}

}  // namespace

bool AcceptsOpenMetrics(std::string_view accept) {
  double open_metrics = 0, text = 0;
  for (const absl::string_view range :
       absl::StrSplit(absl::string_view(accept.data(), accept.size()), ',')) {
    const std::vector<absl::string_view> parts = absl::StrSplit(range, ';');
    const absl::string_view type = absl::StripAsciiWhitespace(parts[0]);
    double* const weight = absl::EqualsIgnoreCase(type, "application/openmetrics-text")
                               ? &open_metrics
                           : absl::EqualsIgnoreCase(type, "text/plain") ? &text
                                                                        : nullptr;
    if (weight != nullptr) *weight = std::max(*weight, WeightOf(parts));
  }
  return open_metrics > 0 && open_metrics >= text;
}

std::string ToOpenMetrics(const std::vector<MetricFamily>& families, const Exemplars& exemplars) {
  Writer writer(exemplars);
  for (const MetricFamily& family : families) writer.Write(family);
  return writer.End();
}

}  // namespace ridestream::metrics
