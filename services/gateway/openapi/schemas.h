#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "google/protobuf/descriptor.h"
#include "services/gateway/openapi/comments.h"

namespace ridestream::gateway {

/// The JSON Schemas of messages, by protobuf's JSON mapping. Collects every message that was
/// referred to.
class Schemas {
 public:
  using Json = nlohmann::ordered_json;

  explicit Schemas(const Comments& comments) : comments_(comments) {}

  /// Returns a reference to a message's schema, and adds the schema.
  Json Reference(const google::protobuf::Descriptor& message);
  /// A field's schema with its description. With `as_element`, the schema of one element of a
  /// repeated field.
  Json Field(const google::protobuf::FieldDescriptor& field, bool as_element = false);
  /// All schemas that were added, by name.
  const Json& all() const { return all_; }

 private:
  Json Value(const google::protobuf::FieldDescriptor& field);

  const Comments& comments_;
  Json all_ = Json::object();
};

}  // namespace ridestream::gateway
