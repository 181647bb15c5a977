#include "libs/rpc/audit_log.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <atomic>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "google/protobuf/descriptor.h"
#include "libs/base/validation.h"
#include "libs/rpc/rate_limiter.h"
#include "libs/service/service.h"

namespace ridestream::rpc {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr std::size_t kMaxNamed = 4;

/// A kind of line, with its own rate limit.
class Lines {
 public:
  Lines(service::Level level, std::string_view event) : level_(level), event_(event) {}

  void Write(const AuditedCall& call, const std::string& error) {
    if (limiter_.Take("", RateLimiter::Wall::now())) {
      ++left_out_;
      return;
    }
    const std::uint64_t left_out = left_out_.exchange(0);
    service::Log(level_, event_,
                 {{"method", call.method},
                  {"caller", call.caller},
                  {"about", call.about},
                  {"peer", call.peer},
                  {"error", error},
                  {"left_out", left_out == 0 ? "" : fmt::format("{}", left_out)}});
  }

 private:
  const service::Level level_;
  const std::string_view event_;
  RateLimiter limiter_{{.per_s = 100, .burst = 1'000}};
  std::atomic<std::uint64_t> left_out_ = 0;
};

bool NamesSomebody(std::string_view field) {
  return field == "market" || field == "markets" ||
         (field.ends_with("_id") && field != "request_id");
}

}  // namespace

std::string NamedIds(const Message& request) {
  std::vector<const FieldDescriptor*> fields;
  const auto* reflection = request.GetReflection();
  reflection->ListFields(request, &fields);
  std::vector<std::string> named;
  const auto add = [&](const FieldDescriptor& field, std::string value) {
    if (named.size() >= kMaxNamed || !IsId(value)) return;
    named.push_back(fmt::format("{}:{}", field.name(), std::move(value)));
  };
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_STRING || !NamesSomebody(field->name())) {
      continue;
    }
    if (!field->is_repeated()) {
      add(*field, reflection->GetString(request, field));
      continue;
    }
    const int count = reflection->FieldSize(request, field);
    for (int i = 0; i < count && named.size() < kMaxNamed; ++i) {
      add(*field, reflection->GetRepeatedString(request, field, i));
    }
  }
  return fmt::format("{}", fmt::join(named, ","));
}

void LogRefusedCall(const AuditedCall& call, const absl::Status& reason) {
  static Lines lines(service::Level::kWarning, "call_refused");
  lines.Write(call, reason.ToString());
}

void LogPrivilegedCall(const AuditedCall& call) {
  static Lines lines(service::Level::kInfo, "call_privileged");
  lines.Write(call, "");
}

}  // namespace ridestream::rpc
