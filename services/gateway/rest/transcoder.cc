#include "services/gateway/rest/transcoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "absl/strings/ascii.h"
#include "google/protobuf/message.h"
#include "google/protobuf/util/json_util.h"
#include "services/gateway/http/query.h"

namespace ridestream::gateway {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using nlohmann::json;

// A request nests four levels deep; protobuf accepts 100.
constexpr int kMaxDepth = 32;
// Path variables and the idempotency key are ids, of at most 64 bytes. A service may repeat such a
// value in an error's metadata, and gRPC closes the whole connection when metadata is too large.
constexpr std::size_t kMaxIdBytes = 256;
constexpr std::size_t kMaxParameterBytes = 1 << 10;

absl::Status Invalid(const std::string& message) { return absl::InvalidArgumentError(message); }

std::unique_ptr<Message> NewMessage(const Descriptor& type) {
  return std::unique_ptr<Message>(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(&type)->New());
}

/// A field's JSON name, from its JSON name or its proto name: "lat_e7" and "latE7" both give
/// "latE7", by protoc's rule.
std::string JsonName(std::string_view name) {
  std::string json_name;
  bool capital = false;
  for (const char c : name) {
    if (c != '_') {
      json_name += capital ? absl::ascii_toupper(static_cast<unsigned char>(c)) : c;
    }
    capital = c == '_';
  }
  return json_name;
}

/// Follows the JSON parser to find a field that occurs twice in one object, under the same name or
/// under both names. No request of the API contains a map, whose keys would not be fields.
class FieldNames {
 public:
  void On(json::parse_event_t event, const json& value) {
    using Event = json::parse_event_t;
    if (event == Event::object_start) {
      open_.emplace_back();
    } else if (event == Event::object_end) {
      open_.pop_back();
    } else if (event == Event::key) {
      const auto& name = value.get_ref<const std::string&>();
      if (!open_.back().insert(JsonName(name)).second && doubled_.empty()) doubled_ = name;
    }
  }
  /// The duplicate field; empty if there is none.
  const std::string& doubled() const { return doubled_; }

 private:
  std::vector<std::set<std::string>> open_;  // Names seen in each object that is still open.
  std::string doubled_;
};

absl::StatusOr<json> ParseBody(const std::string& body) {
  if (body.empty()) return json::object();
  bool too_deep = false;
  FieldNames names;
  json parsed;
  try {
    parsed = json::parse(body, [&](int depth, json::parse_event_t event, json& value) {
      too_deep = too_deep || depth > kMaxDepth;
      // Beyond this depth the parser doesn't report all events.
      if (!too_deep) names.On(event, value);
      return depth <= kMaxDepth;
    });
  } catch (const json::exception& error) {
    return Invalid(fmt::format("body: is not JSON: {}", error.what()));
  }
  if (too_deep) return Invalid(fmt::format("body: is nested more than {} levels deep", kMaxDepth));
  if (!names.doubled().empty()) {
    return Invalid(fmt::format("{}: is given twice", names.doubled()));
  }
  if (!parsed.is_object()) return Invalid("body: must be a JSON object");
  return parsed;
}

/// The value of a field under its proto name or its JSON name; nullptr if there is none.
json* Find(json& object, const FieldDescriptor& field) {
  for (const std::string& name : {field.json_name(), field.name()}) {
    if (const auto found = object.find(name); found != object.end()) return &*found;
  }
  return nullptr;
}

void Erase(json& object, const FieldDescriptor& field) {
  object.erase(field.name());
  object.erase(field.json_name());
}

absl::Status CheckSize(std::string_view name, std::string_view value, std::size_t bound) {
  if (value.size() <= bound) return absl::OkStatus();
  return Invalid(fmt::format("{}: has more than {} bytes", name, bound));
}

/// Sets a field to an id. Fails if the field already has another value.
absl::Status SetOnce(json& request, const FieldDescriptor& field, std::string_view value,
                     std::string_view said_by) {
  if (absl::Status status = CheckSize(field.name(), value, kMaxIdBytes); !status.ok()) {
    return status;
  }
  if (const json* there = Find(request, field); there != nullptr && *there != value) {
    return Invalid(fmt::format("{}: is '{}' in {}, but {} elsewhere", field.name(), value, said_by,
                               there->dump(-1, ' ', false, json::error_handler_t::replace)));
  }
  Erase(request, field);
  request[field.json_name()] = value;
  return absl::OkStatus();
}

/// Sets the field that a query parameter names. A repeated message in the path stands for its
/// single element.
absl::Status SetParameter(json& request, const Descriptor& type, const std::string& name,
                          const std::string& value) {
  const auto path = FindFields(type, name);
  if (!path.ok()) return path.status();
  if (absl::Status status = CheckSize(name, value, kMaxParameterBytes); !status.ok()) {
    return status;
  }
  json* within = &request;
  for (std::size_t i = 0; i + 1 < path->size(); ++i) {
    const FieldDescriptor& field = *(*path)[i];
    within = &(*within)[field.json_name()];
    if (field.is_repeated()) {
      if (within->is_null()) within->push_back(json::object());
      within = &within->back();
    }
    if (!within->is_null() && !within->is_object()) {
      return Invalid(fmt::format("{}: is a field of something that isn't a message", name));
    }
  }
  const FieldDescriptor& field = *path->back();
  const bool well_known = field.message_type() != nullptr &&
                          field.message_type()->file()->package() == "google.protobuf";
  if (field.message_type() != nullptr && !well_known) {
    return Invalid(fmt::format("{}: is a message; name one of its fields", name));
  }
  json& slot = (*within)[field.json_name()];
  if (field.is_repeated()) {
    slot.push_back(value);
  } else if (!slot.is_null()) {
    return Invalid(fmt::format("{}: is given twice", name));
  } else {
    slot = value;
  }
  return absl::OkStatus();
}

/// Only requests without a body have a query, so existing values come from earlier parameters.
absl::Status SetQuery(json& request, const Route& route, const std::string& query) {
  if (route.has_body && !query.empty()) {
    return Invalid("query: this route takes its fields in the body");
  }
  const Descriptor& type = *route.method->descriptor->input_type();
  for (const auto& [name, value] : ParseQuery(query)) {
    if (absl::Status status = SetParameter(request, type, name, value); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> Serialize(const Descriptor& type, const json& request) {
  std::string text;
  try {
    text = request.dump();
  } catch (const json::exception&) {
    return Invalid("the path or the query isn't UTF-8");
  }
  const std::unique_ptr<Message> message = NewMessage(type);
  const auto status = google::protobuf::util::JsonStringToMessage(text, message.get());
  if (!status.ok()) return Invalid(status.message().ToString());
  return message->SerializeAsString();
}

}  // namespace

absl::StatusOr<std::string> RequestToMessage(const Route& route, const Variables& variables,
                                             const Request& request, std::string_view after) {
  if (!route.has_body && !request.body.empty()) return Invalid("body: this route takes none");
  auto object = ParseBody(request.body);
  if (!object.ok()) return object.status();
  const Descriptor& type = *route.method->descriptor->input_type();
  absl::Status status = SetQuery(*object, route, request.query);
  for (const auto& [name, value] : variables) {
    if (status.ok()) status = SetOnce(*object, *type.FindFieldByName(name), value, "the path");
  }
  const std::string_view key = request.headers.Get("idempotency-key");
  if (status.ok() && !key.empty()) {
    status =
        route.idempotency_key == nullptr
            ? Invalid("Idempotency-Key: this route takes none, since it is idempotent without one")
            : SetOnce(*object, *route.idempotency_key, key, "the Idempotency-Key");
  }
  if (status.ok() && !after.empty()) {
    // The reader's position is newer than the start position in its request.
    Erase(*object, *route.after);
    if (const auto* oneof = route.after->containing_oneof()) {
      for (int i = 0; i < oneof->field_count(); ++i) Erase(*object, *oneof->field(i));
    }
    (*object)[route.after->json_name()] = after;
  }
  if (!status.ok()) return status;
  return Serialize(type, *object);
}

absl::StatusOr<std::string> MessageToJson(const Descriptor& type, std::string_view bytes) {
  const std::unique_ptr<Message> message = NewMessage(type);
  if (!message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::InternalError(fmt::format("the service's response is not a {}", type.full_name()));
  }
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  std::string text;
  const auto status = google::protobuf::util::MessageToJsonString(*message, &text, options);
  if (!status.ok()) return absl::InternalError(status.message().ToString());
  return text;
}

std::string PositionOf(const Route& route, std::string_view bytes) {
  if (route.positions.empty()) return "";
  const std::unique_ptr<Message> message = NewMessage(*route.method->descriptor->output_type());
  if (!message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return "";
  for (const FieldPath& path : route.positions) {
    const Message* within = message.get();
    for (std::size_t i = 0; i + 1 < path.size() && within != nullptr; ++i) {
      const auto& reflection = *within->GetReflection();
      within = reflection.HasField(*within, path[i]) ? &reflection.GetMessage(*within, path[i])
                                                     : nullptr;
    }
    if (within == nullptr) continue;
    const auto& reflection = *within->GetReflection();
    switch (path.back()->cpp_type()) {
      case FieldDescriptor::CPPTYPE_UINT64:
        return std::to_string(reflection.GetUInt64(*within, path.back()));
      case FieldDescriptor::CPPTYPE_STRING:
        return reflection.GetString(*within, path.back());
      default:
        return "";  // Unreachable: such routes are rejected at the start.
    }
  }
  return "";
}

}  // namespace ridestream::gateway
