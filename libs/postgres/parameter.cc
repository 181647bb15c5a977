#include "libs/postgres/parameter.h"

namespace ridestream::postgres {

Parameter::Parameter(const std::vector<std::string>& texts) : null_(false) {
  value_ = "{";
  for (const std::string& text : texts) {
    if (value_.size() > 1) value_ += ',';
    value_ += '"';
    for (const char c : text) {
      if (c == '"' || c == '\\') value_ += '\\';
      value_ += c;
    }
    value_ += '"';
  }
  value_ += '}';
}

Parameter::Parameter(const std::vector<std::int64_t>& numbers) : null_(false) {
  value_ = "{";
  for (const std::int64_t number : numbers) {
    if (value_.size() > 1) value_ += ',';
    value_ += std::to_string(number);
  }
  value_ += '}';
}

}  // namespace ridestream::postgres
