#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ridestream::gateway {

/// The fields of a message's header, in their order. Case doesn't matter in names.
class Headers {
 public:
  using Field = std::pair<std::string, std::string>;

  Headers() = default;
  Headers(std::initializer_list<Field> fields) : fields_(fields) {}

  /// Appends a field. Bytes that would end it (control characters other than tab) become spaces.
  void Add(std::string_view name, std::string_view value);
  /// Appends a field unchanged, for values that aren't sent as text.
  void AddRaw(std::string_view name, std::string value) {
    fields_.emplace_back(name, std::move(value));
  }
  /// The value of the first field of this name; empty if there is none.
  std::string_view Get(std::string_view name) const;
  bool Has(std::string_view name) const;
  std::size_t Count(std::string_view name) const;

  std::vector<Field>::const_iterator begin() const { return fields_.begin(); }
  std::vector<Field>::const_iterator end() const { return fields_.end(); }

 private:
  std::vector<Field> fields_;
};

/// Whether two names of header fields are equal, ignoring the case of ASCII letters.
bool SameName(std::string_view a, std::string_view b);

/// The value of the cookie with exactly this name in the fields Cookie of a request's header.
/// Nothing if there is none. Nothing if there are several either: a browser doesn't show who set
/// each of them, and an attacker may have set the first.
std::optional<std::string_view> FindCookie(const Headers& headers, std::string_view name);

/// The media type in the value of a Content-Type field: without parameters, in lower case.
std::string MediaType(std::string_view content_type);

struct Request {
  std::string method;
  /// As sent: percent-encoded, without the query.
  std::string path;
  /// The part after the '?', encoded.
  std::string query;
  Headers headers;
  std::string body;
};

/// Bytes that several connections can send at the same time.
using SharedBytes = std::shared_ptr<const std::string>;

struct Response {
  int status = 200;
  Headers headers = {};
  SharedBytes body = nullptr;
};

inline SharedBytes Share(std::string bytes) {
  return std::make_shared<const std::string>(std::move(bytes));
}

}  // namespace ridestream::gateway
