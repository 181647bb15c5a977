#include "services/gateway/openapi/openapi.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "services/gateway/openapi/comments.h"
#include "services/gateway/openapi/schemas.h"

namespace ridestream::gateway {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using Json = Schemas::Json;

class Writer {
 public:
  Json Write(const Routes& routes) {
    Json paths = Json::object();
    Json tags = Json::array();
    std::set<std::string> tagged;
    for (const Route& route : routes.all()) {
      const auto& service = *route.method->descriptor->service();
      if (tagged.insert(service.name()).second) {
        tags.push_back(
            {{"name", service.name()}, {"description", comments_.Find(service.full_name())}});
      }
      paths[JsonPath(route)][absl::AsciiStrToLower(route.http_method)] = Operation(route);
    }
    return {
        {"openapi", "3.1.0"},
        {"info",
         {{"title", "Ridestream"},
          {"version", "1"},
          {"license", {{"name", "Apache 2.0"}, {"identifier", "Apache-2.0"}}},
          {"description",
           "Rides, drivers and markets, as JSON by protobuf's own mapping. Errors are "
           "application/problem+json with the gRPC code; what streams is Server-Sent Events."}}},
        {"servers", Json::array({{{"url", "/"}, {"description", "This gateway"}}})},
        {"security", Json::array({{{"caller", Json::array()}}})},
        {"tags", std::move(tags)},
        {"paths", std::move(paths)},
        {"components", Components()}};
  }

 private:
  /// Variables are named as in JSON, like all other fields.
  static std::string JsonPath(const Route& route) {
    std::string path = route.path.text();
    const Descriptor& request = *route.method->descriptor->input_type();
    for (const std::string& variable : route.path.variables()) {
      const std::string named = "{" + variable + "}";
      path.replace(path.find(named), named.size(),
                   "{" + request.FindFieldByName(variable)->json_name() + "}");
    }
    return path;
  }

  Json Operation(const Route& route) {
    const auto& method = *route.method->descriptor;
    const std::string text = comments_.Find(method.full_name());
    std::string id = fmt::format("{}_{}", method.service()->name(), method.name());
    // Operation ids must be unique, so a method's further routes get ids of their own.
    if (!ids_.insert(id).second) id += "_" + absl::AsciiStrToLower(route.http_method);
    Json operation = {{"operationId", id},
                      {"tags", {method.service()->name()}},
                      {"summary", text.substr(0, text.find_first_of(".:\n"))},
                      {"description", text},
                      {"parameters", Parameters(route)}};
    if (route.has_body) {
      operation["requestBody"] = {
          {"required", true}, {"content", {{"application/json", {{"schema", BodySchema(route)}}}}}};
    }
    operation["responses"] = {{"200", Answer(route)},
                              {"4XX", {{"$ref", "#/components/responses/Problem"}}},
                              {"5XX", {{"$ref", "#/components/responses/Problem"}}}};
    return operation;
  }

  Json Parameters(const Route& route) {
    Json parameters = Json::array();
    const Descriptor& request = *route.method->descriptor->input_type();
    const std::vector<std::string> variables = route.path.variables();
    for (const std::string& variable : variables) {
      const FieldDescriptor& field = *request.FindFieldByName(variable);
      parameters.push_back({{"name", field.json_name()},
                            {"in", "path"},
                            {"required", true},
                            {"schema", schemas_.Field(field)}});
    }
    if (!route.has_body) AddQuery(request, "", variables, parameters, 0);
    if (route.idempotency_key != nullptr) {
      parameters.push_back(
          {{"name", "Idempotency-Key"},
           {"in", "header"},
           {"description", fmt::format("Sets `{}`: the same key gets the same answer.",
                                       route.idempotency_key->json_name())},
           {"schema", {{"type", "string"}}}});
    }
    if (route.after != nullptr) {
      parameters.push_back(
          {{"name", "Last-Event-ID"},
           {"in", "header"},
           {"description", "The id of the last event seen: the stream goes on after it."},
           {"schema", {{"type", "string"}}}});
    }
    return parameters;
  }

  /// Adds the scalars of a message and of its nested messages, named by their paths.
  void AddQuery(const Descriptor& message, const std::string& prefix,
                const std::vector<std::string>& without, Json& parameters, int depth) {
    constexpr int kDeepest = 4;  // A message type may contain itself.
    for (int i = 0; i < message.field_count() && depth < kDeepest; ++i) {
      const FieldDescriptor& field = *message.field(i);
      if (std::find(without.begin(), without.end(), field.name()) != without.end()) continue;
      const std::string name = prefix + field.json_name();
      const bool well_known = field.message_type() != nullptr &&
                              field.message_type()->file()->package() == "google.protobuf";
      if (field.message_type() != nullptr && !well_known) {
        AddQuery(*field.message_type(), name + ".", {}, parameters, depth + 1);
        continue;
      }
      parameters.push_back({{"name", name}, {"in", "query"}, {"schema", schemas_.Field(field)}});
    }
  }

  /// The schema of the request without the fields that the path sets.
  Json BodySchema(const Route& route) {
    const Descriptor& request = *route.method->descriptor->input_type();
    const std::vector<std::string> variables = route.path.variables();
    if (variables.empty()) return schemas_.Reference(request);
    Json properties = Json::object();
    for (int i = 0; i < request.field_count(); ++i) {
      const FieldDescriptor& field = *request.field(i);
      if (std::find(variables.begin(), variables.end(), field.name()) != variables.end()) continue;
      properties[field.json_name()] = schemas_.Field(field);
    }
    return {{"type", "object"}, {"properties", std::move(properties)}};
  }

  Json Answer(const Route& route) {
    const Json schema = schemas_.Reference(*route.method->descriptor->output_type());
    if (!route.method->server_streaming()) {
      return {{"description", "OK"}, {"content", {{"application/json", {{"schema", schema}}}}}};
    }
    return {
        {"description",
         fmt::format("Server-Sent Events. `open` is first; its `resumed` says whether the stream "
                     "continues after the reader's last event. Events without a name hold a {} as "
                     "JSON. The last event is `end`, or `problem` with the error.",
                     route.method->descriptor->output_type()->full_name())},
        {"content", {{"text/event-stream", {{"schema", {{"type", "string"}}}}}}}};
  }

  Json Components() {
    Json schemas = schemas_.all();
    schemas["Problem"] = {
        {"type", "object"},
        {"required", {"type", "title", "status", "detail", "code"}},
        {"properties",
         {{"type", {{"type", "string"}}},
          {"title", {{"type", "string"}}},
          {"status", {{"type", "integer"}}},
          {"detail",
           {{"type", "string"},
            {"maxLength", 1024},
            {"description", "What was wrong, for people."}}},
          {"code", {{"type", "string"}, {"description", "The gRPC code, e.g. NOT_FOUND."}}}}}};
    return {{"securitySchemes",
             {{"caller",
               {{"type", "apiKey"},
                {"in", "header"},
                {"name", "ridestream-caller"},
                {"description",
                 "Who calls: `rider/ID`, `driver/ID`, `operator/ID` or `viewer/ID`. Sent twice: "
                 "401."}}}}},
            {"responses",
             {{"Problem",
               {{"description", "The call failed; `code` is the gRPC code."},
                {"content",
                 {{"application/problem+json",
                   {{"schema", {{"$ref", "#/components/schemas/Problem"}}}}}}}}}}},
            {"schemas", std::move(schemas)}};
  }

  const Comments comments_;
  Schemas schemas_{comments_};
  std::set<std::string> ids_;
};

}  // namespace

std::string OpenApiDocument(const Routes& routes) { return Writer().Write(routes).dump(2) + "\n"; }

}  // namespace ridestream::gateway
