#include "libs/tracing/trace_context.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace ridestream::tracing {
namespace {

constexpr std::size_t kTraceParentBytes = 55;
constexpr std::size_t kMaxTraceStateBytes = 512;
constexpr std::size_t kMaxTraceStateMembers = 32;

bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

/// Up to 16 digits; the specification allows lower case only.
std::optional<std::uint64_t> ParseHex(std::string_view digits) {
  std::uint64_t value = 0;
  for (const char c : digits) {
    if (IsDigit(c)) {
      value = value << 4 | static_cast<std::uint64_t>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      value = value << 4 | static_cast<std::uint64_t>(c - 'a' + 10);
    } else {
      return std::nullopt;
    }
  }
  return value;
}

/// "vendor" begins with a letter; "tenant@vendor" has a tenant that may begin with a digit, of up
/// to 241 characters, and a vendor of up to 14.
bool IsTraceStateKey(std::string_view key) {
  const auto is_name = [](std::string_view name, std::size_t max_bytes, bool digit_first) {
    if (name.empty() || name.size() > max_bytes) return false;
    if (!IsLower(name.front()) && !(digit_first && IsDigit(name.front()))) return false;
    return std::all_of(name.begin(), name.end(), [](char c) {
      return IsLower(c) || IsDigit(c) || c == '_' || c == '-' || c == '*' || c == '/';
    });
  };
  const std::size_t at = key.find('@');
  if (at == std::string_view::npos) return is_name(key, 256, false);
  return is_name(key.substr(0, at), 241, true) && is_name(key.substr(at + 1), 14, false);
}

bool IsTraceStateValue(std::string_view value) {
  if (value.empty() || value.size() > 256 || value.back() == ' ') return false;
  return std::all_of(value.begin(), value.end(),
                     [](char c) { return c >= ' ' && c <= '~' && c != ',' && c != '='; });
}

std::string_view WithoutSpaces(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool IsTraceState(std::string_view text) {
  if (text.size() > kMaxTraceStateBytes) return false;
  std::set<std::string_view> keys;
  for (;;) {
    const std::size_t comma = text.find(',');
    const std::string_view member = WithoutSpaces(text.substr(0, comma));
    // The specification allows members that are empty.
    if (!member.empty()) {
      const std::size_t equals = member.find('=');
      if (equals == std::string_view::npos) return false;
      const std::string_view key = member.substr(0, equals);
      if (!IsTraceStateKey(key) || !IsTraceStateValue(member.substr(equals + 1))) return false;
      if (!keys.insert(key).second || keys.size() > kMaxTraceStateMembers) return false;
    }
    if (comma == std::string_view::npos) return true;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace

std::string TraceId::ToHex() const { return fmt::format("{:016x}{:016x}", high, low); }

std::string SpanId::ToHex() const { return fmt::format("{:016x}", value); }

std::optional<SpanContext> ParseTraceContext(std::string_view traceparent,
                                             std::string_view tracestate) {
  const std::string_view text = traceparent;
  if (text.size() < kTraceParentBytes || text[2] != '-' || text[35] != '-' || text[52] != '-') {
    return std::nullopt;
  }
  const auto version = ParseHex(text.substr(0, 2));
  const auto high = ParseHex(text.substr(3, 16));
  const auto low = ParseHex(text.substr(19, 16));
  const auto span = ParseHex(text.substr(36, 16));
  const auto flags = ParseHex(text.substr(53, 2));
  if (!version || !high || !low || !span || !flags || *version == 0xff) return std::nullopt;
  // A later version may add fields, each after a dash.
  if (text.size() > kTraceParentBytes && (*version == 0 || text[kTraceParentBytes] != '-')) {
    return std::nullopt;
  }
  SpanContext context{.trace_id = {*high, *low}, .span_id = {*span}, .sampled = (*flags & 1) != 0};
  if (!context.valid()) return std::nullopt;
  if (IsTraceState(tracestate)) context.trace_state = tracestate;
  return context;
}

std::string FormatTraceParent(const SpanContext& context) {
  return fmt::format("00-{}-{}-{:02x}", context.trace_id.ToHex(), context.span_id.ToHex(),
                     context.sampled ? 1 : 0);
}

}  // namespace ridestream::tracing
