#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "google/protobuf/descriptor.h"
#include "services/gateway/openapi/comments.h"

namespace ridestream::gateway {

/// The JSON Schemas of messages, as protobuf's JSON mapping writes them. Collects those that were
/// referred to.
class Schemas {
 public:
  using Json = nlohmann::ordered_json;

  explicit Schemas(const Comments& comments) : comments_(comments) {}

  /// A reference to a message's schema, which is added.
  Json Reference(const google::protobuf::Descriptor& message);
  /// A field's schema with its description; of one element if `as_element`.
  Json Field(const google::protobuf::FieldDescriptor& field, bool as_element = false);
  /// All that were added, by their names.
  const Json& all() const { return all_; }

 private:
  Json Value(const google::protobuf::FieldDescriptor& field);

  const Comments& comments_;
  Json all_ = Json::object();
};

}  // namespace ridestream::gateway
