#include "services/gateway/openapi/schemas.h"

#include <map>
#include <string_view>

namespace ridestream::gateway {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using Json = Schemas::Json;

/// Messages for which protobuf's JSON mapping has a special form.
const Json* WellKnown(const std::string& name) {
  static const auto* const known = new std::map<std::string, Json>{
      {"google.protobuf.Timestamp", {{"type", "string"}, {"format", "date-time"}}},
      {"google.protobuf.Duration", {{"type", "string"}, {"pattern", "^-?[0-9]+(\\.[0-9]+)?s$"}}},
  };
  const auto found = known->find(name);
  return found == known->end() ? nullptr : &found->second;
}

Json Whole(std::string_view format, bool is_signed) {
  return {
      {"type", "string"}, {"format", format}, {"pattern", is_signed ? "^-?[0-9]+$" : "^[0-9]+$"}};
}

}  // namespace

Json Schemas::Reference(const Descriptor& message) {
  const std::string& name = message.full_name();
  if (const Json* known = WellKnown(name)) return *known;
  if (!all_.contains(name)) {
    all_[name] = Json::object();  // A message type may refer to itself.
    Json schema = {{"type", "object"}};
    if (const std::string text = comments_.Find(name); !text.empty()) schema["description"] = text;
    Json properties = Json::object();
    for (int i = 0; i < message.field_count(); ++i) {
      properties[message.field(i)->json_name()] = Field(*message.field(i));
    }
    if (!properties.empty()) schema["properties"] = std::move(properties);
    schema["additionalProperties"] = false;
    all_[name] = std::move(schema);
  }
  return {{"$ref", "#/components/schemas/" + name}};
}

Json Schemas::Field(const FieldDescriptor& field, bool as_element) {
  Json schema;
  if (field.is_map()) {
    schema = {{"type", "object"}, {"additionalProperties", Value(*field.message_type()->field(1))}};
  } else if (field.is_repeated() && !as_element) {
    schema = {{"type", "array"}, {"items", Value(field)}};
  } else {
    schema = Value(field);
  }
  if (const std::string text = comments_.Find(field.full_name()); !text.empty()) {
    schema["description"] = text;
  }
  return schema;
}

/// The schema of one value, without its description.
Json Schemas::Value(const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return {{"type", "integer"}, {"format", "int32"}};
    case FieldDescriptor::CPPTYPE_UINT32:
      return {{"type", "integer"}, {"minimum", 0}, {"maximum", 4294967295U}};
    case FieldDescriptor::CPPTYPE_INT64:
      return Whole("int64", true);
    case FieldDescriptor::CPPTYPE_UINT64:
      return Whole("uint64", false);
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_FLOAT:
      return {{"type", "number"}};
    case FieldDescriptor::CPPTYPE_BOOL:
      return {{"type", "boolean"}};
    case FieldDescriptor::CPPTYPE_STRING:
      if (field.type() != FieldDescriptor::TYPE_BYTES) return {{"type", "string"}};
      return {{"type", "string"}, {"contentEncoding", "base64"}};
    case FieldDescriptor::CPPTYPE_ENUM: {
      Json names = Json::array();
      for (int i = 0; i < field.enum_type()->value_count(); ++i) {
        names.push_back(field.enum_type()->value(i)->name());
      }
      return {{"type", "string"}, {"enum", std::move(names)}};
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return Reference(*field.message_type());
  }
  return Json::object();
}

}  // namespace ridestream::gateway
