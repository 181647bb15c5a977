#include "libs/service/log_line.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

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

/// Bytes from outside may not be UTF-8; they must not cost us the line.
std::string Dump(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::string TextLine(std::string_view event, std::span<const Field> fields) {
  std::string line(event);
  for (const Field& field : fields) {
    if (field.value.empty()) continue;
    const bool plain = field.value.find_first_of(" \"\n\r=") == std::string::npos;
    line += fmt::format(" {}={}", field.key, plain ? field.value : Dump(field.value));
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
    if (!field.value.empty()) line[std::string(field.key)] = field.value;
  }
  return Dump(line);
}

}  // namespace ridestream::service
