#include "services/gateway/rest/routes.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_split.h"
#include "ridestream/common/v1/http.pb.h"

namespace ridestream::gateway {
namespace {

using common::v1::HttpRule;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

std::pair<std::string, std::string> Pattern(const HttpRule& rule) {
  switch (rule.pattern_case()) {
    case HttpRule::kGet:
      return {"GET", rule.get()};
    case HttpRule::kPut:
      return {"PUT", rule.put()};
    case HttpRule::kPost:
      return {"POST", rule.post()};
    case HttpRule::kDelete:
      return {"DELETE", rule.delete_()};
    case HttpRule::kPatch:
      return {"PATCH", rule.patch()};
    case HttpRule::PATTERN_NOT_SET:
      break;
  }
  return {"", ""};
}

/// Finds a singular field of the message itself; nullptr for an empty name.
absl::StatusOr<const FieldDescriptor*> OwnField(const Descriptor& message,
                                                const std::string& name) {
  if (name.empty()) return nullptr;
  const auto path = FindFields(message, name);
  if (!path.ok()) return path.status();
  if (path->size() != 1 || path->front()->is_repeated()) {
    return absl::InvalidArgumentError(
        fmt::format("{}: must be a field of {} that isn't repeated", name, message.full_name()));
  }
  return path->front();
}

absl::StatusOr<Route> ReadRoute(const Method& method, const HttpRule& rule,
                                const HttpRule& main_rule) {
  const Descriptor& request = *method.descriptor->input_type();
  const auto [http_method, text] = Pattern(rule);
  auto path = PathTemplate::Parse(text);
  if (!path.ok()) return path.status();
  for (const std::string& variable : path->variables()) {
    const auto field = OwnField(request, variable);
    if (!field.ok()) return field.status();
  }
  if (method.client_streaming()) {
    return absl::InvalidArgumentError("REST doesn't support client streams");
  }
  if (!rule.body().empty() && rule.body() != "*") {
    return absl::InvalidArgumentError(fmt::format("body: '{}' must be '*'", rule.body()));
  }
  const auto key = OwnField(request, main_rule.idempotency_key());
  if (!key.ok()) return key.status();
  const auto after = OwnField(request, main_rule.resumption().after());
  if (!after.ok()) return after.status();
  Route route{.method = &method,
              .http_method = http_method,
              .path = *std::move(path),
              .has_body = rule.body() == "*",
              .idempotency_key = *key,
              .after = *after};
  for (const std::string& position : main_rule.resumption().position()) {
    auto fields = FindFields(*method.descriptor->output_type(), position);
    if (!fields.ok()) return fields.status();
    const FieldDescriptor& last = *fields->back();
    if (last.is_repeated() || (last.cpp_type() != FieldDescriptor::CPPTYPE_UINT64 &&
                               last.cpp_type() != FieldDescriptor::CPPTYPE_STRING)) {
      return absl::InvalidArgumentError(fmt::format("{}: must be a uint64 or a string", position));
    }
    route.positions.push_back(*std::move(fields));
  }
  return route;
}

}  // namespace

absl::StatusOr<FieldPath> FindFields(const Descriptor& message, std::string_view path) {
  FieldPath fields;
  const Descriptor* within = &message;
  for (const absl::string_view piece :
       absl::StrSplit(absl::string_view(path.data(), path.size()), '.')) {
    const std::string name(piece);
    const FieldDescriptor* field = nullptr;
    if (within != nullptr) {
      field = within->FindFieldByName(name);
      if (field == nullptr) field = within->FindFieldByCamelcaseName(name);
    }
    if (field == nullptr) {
      return absl::InvalidArgumentError(
          fmt::format("{}: there is no such field in {}", path, message.full_name()));
    }
    fields.push_back(field);
    within = field->message_type();
  }
  return fields;
}

absl::StatusOr<Routes> Routes::Read(const Services& services) {
  Routes routes;
  for (const auto& [name, method] : services.methods()) {
    const auto& options = method.descriptor->options();
    if (!options.HasExtension(common::v1::http)) continue;
    const HttpRule& main_rule = options.GetExtension(common::v1::http);
    std::vector<const HttpRule*> rules = {&main_rule};
    for (const HttpRule& more : main_rule.additional_bindings()) rules.push_back(&more);
    for (const HttpRule* rule : rules) {
      auto route = ReadRoute(method, *rule, main_rule);
      if (!route.ok()) {
        return absl::InvalidArgumentError(
            fmt::format("the option http of {}: {}", name, std::string(route.status().message())));
      }
      routes.routes_.push_back(*std::move(route));
    }
  }
  std::stable_sort(
      routes.routes_.begin(), routes.routes_.end(),
      [](const Route& a, const Route& b) { return a.path.has_verb() && !b.path.has_verb(); });
  return routes;
}

std::variant<Routes::Found, Routes::WrongMethod, Routes::Unknown> Routes::Find(
    std::string_view http_method, std::string_view path) const {
  WrongMethod wrong;
  for (const Route& route : routes_) {
    auto variables = route.path.Match(path);
    if (!variables) continue;
    if (route.http_method == http_method) return Found{&route, *std::move(variables)};
    wrong.allow += (wrong.allow.empty() ? "" : ", ") + route.http_method;
    if (route.http_method == "GET") wrong.allow += ", HEAD";
  }
  if (!wrong.allow.empty()) return wrong;
  return Unknown{};
}

}  // namespace ridestream::gateway
