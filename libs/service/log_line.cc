#include "libs/service/log_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "libs/base/utf8.h"
#include "libs/base/validation.h"

namespace ridestream::service {
namespace {

constexpr std::string_view NameOf(Level level) {
  switch (level) {
    case Level::kDebug:
      return "debug";
    case Level::kInfo:
      return "info";
    case Level::kWarning:
      return "warning";
    case Level::kError:
      return "error";
  }
  return "info";
}

/// Longer values are cut.
constexpr std::size_t kMaxValueBytes = 1'024;

/// Input may not be UTF-8 and must not lose us the line. Characters that JSON permits but that
/// control a terminal or reorder text occur only within strings, where an escape is equivalent.
std::string Dump(const nlohmann::ordered_json& json) {
  return EscapeForbidden(json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

std::string Cut(std::string_view value) {
  if (value.size() <= kMaxValueBytes) return std::string(value);
  return fmt::format("{}… ({} bytes)", Utf8Prefix(value, kMaxValueBytes), value.size());
}

/// Whether a value needs no quotes: ASCII without separators and control characters.
bool IsPlain(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) {
    return c > ' ' && c <= '~' && c != '"' && c != '=' && c != '\\';
  });
}

}  // namespace

std::string TextLine(std::string_view event, std::span<const Field> fields) {
  std::string line(event);
  for (const Field& field : fields) {
    if (field.value.empty()) continue;
    const std::string value = Cut(field.value);
    line += fmt::format(" {}={}", field.key, IsPlain(value) ? value : Dump(value));
  }
  return line;
}

std::string JsonLine(std::chrono::system_clock::time_point time, Level level,
                     std::string_view service, std::string_view event,
                     std::span<const Field> fields) {
  nlohmann::ordered_json line = {
      {"time_us",
       std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count()},
      {"level", std::string(NameOf(level))},
      {"service", std::string(service)},
      {"event", std::string(event)}};
  for (const Field& field : fields) {
    if (!field.value.empty()) line[std::string(field.key)] = Cut(field.value);
  }
  return Dump(line);
}

}  // namespace ridestream::service
