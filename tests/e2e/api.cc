#include "tests/e2e/api.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/util/json_util.h>

#include "services/gateway/openapi/comments.h"

namespace ridestream::e2e {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

bool IsText(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_STRING;
}

void AddTextFields(const Descriptor& type, const TextField& within, std::vector<TextField>& found) {
  for (int i = 0; i < type.field_count(); ++i) {
    TextField path = within;
    path.push_back(type.field(i));
    if (IsText(*path.back())) {
      found.push_back(path);
    } else if (path.back()->message_type() != nullptr) {
      AddTextFields(*path.back()->message_type(), path, found);
    }
  }
}

std::string SampleText(const FieldDescriptor& field) {
  if (field.name().starts_with("market")) return "city";
  return field.name() == "page_token" ? "" : "x-1";
}

int SampleInt(const FieldDescriptor& field) {
  if (field.name() == "lat_e7") return 450'100'000;
  return field.name() == "lng_e7" ? -300'300'000 : 1;
}

void Fill(Message& message);

/// The field's value, or a list's one element.
void FillField(Message& message, const FieldDescriptor& field) {
  const auto& reflection = *message.GetReflection();
  const bool list = field.is_repeated();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return list ? reflection.AddString(&message, &field, SampleText(field))
                  : reflection.SetString(&message, &field, SampleText(field));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return Fill(list ? *reflection.AddMessage(&message, &field)
                       : *reflection.MutableMessage(&message, &field));
    case FieldDescriptor::CPPTYPE_ENUM:
      return list ? reflection.AddEnumValue(&message, &field, 1)
                  : reflection.SetEnumValue(&message, &field, 1);
    case FieldDescriptor::CPPTYPE_INT32:
      return list ? reflection.AddInt32(&message, &field, SampleInt(field))
                  : reflection.SetInt32(&message, &field, SampleInt(field));
    case FieldDescriptor::CPPTYPE_INT64:
      return list ? reflection.AddInt64(&message, &field, 1)
                  : reflection.SetInt64(&message, &field, 1);
    case FieldDescriptor::CPPTYPE_UINT32:
      return list ? reflection.AddUInt32(&message, &field, 1)
                  : reflection.SetUInt32(&message, &field, 1);
    case FieldDescriptor::CPPTYPE_UINT64:
      return list ? reflection.AddUInt64(&message, &field, 1)
                  : reflection.SetUInt64(&message, &field, 1);
    case FieldDescriptor::CPPTYPE_BOOL:
      return list ? reflection.AddBool(&message, &field, true)
                  : reflection.SetBool(&message, &field, true);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return list ? reflection.AddDouble(&message, &field, 1)
                  : reflection.SetDouble(&message, &field, 1);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return list ? reflection.AddFloat(&message, &field, 1)
                  : reflection.SetFloat(&message, &field, 1);
  }
}

void Fill(Message& message) {
  const Descriptor& type = *message.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    const auto* oneof = field.containing_oneof();
    if (oneof == nullptr || oneof->field(0) == &field) FillField(message, field);
  }
}

void SetText(Message& message, const TextField& path, const std::string& text) {
  Message* within = &message;
  for (std::size_t i = 0; i + 1 < path.size(); ++i) {
    const auto& reflection = *within->GetReflection();
    // Only the first member of a oneof has a sample yet.
    if (!path[i]->is_repeated() && !reflection.HasField(*within, path[i])) {
      FillField(*within, *path[i]);
    }
    within = path[i]->is_repeated() ? reflection.MutableRepeatedMessage(within, path[i], 0)
                                    : reflection.MutableMessage(within, path[i]);
  }
  const auto& reflection = *within->GetReflection();
  if (path.back()->is_repeated()) {
    reflection.SetRepeatedString(within, path.back(), 0, text);
  } else {
    reflection.SetString(within, path.back(), text);
  }
}

}  // namespace

std::string NameOf(const TextField& field) {
  std::string name;
  for (const FieldDescriptor* part : field) {
    name += fmt::format("{}{}{}", name.empty() ? "" : ".", part->name(),
                        part->is_repeated() ? "[0]" : "");
  }
  return name;
}

Api::Api() : factory_(&pool_) {
  google::protobuf::FileDescriptorSet files;
  files.ParseFromArray(gateway::kApiDescriptors.data(),
                       static_cast<int>(gateway::kApiDescriptors.size()));
  for (const auto& proto : files.file()) {
    const google::protobuf::FileDescriptor* file = pool_.BuildFile(proto);
    if (!file->package().starts_with("ridestream.")) continue;
    for (int s = 0; s < file->service_count(); ++s) {
      for (int m = 0; m < file->service(s)->method_count(); ++m) {
        methods_.push_back(file->service(s)->method(m));
      }
    }
  }
}

std::vector<TextField> Api::TextFieldsOf(const Descriptor& type) {
  std::vector<TextField> found;
  AddTextFields(type, {}, found);
  return found;
}

std::unique_ptr<Message> Api::Sample(const Descriptor& type) {
  std::unique_ptr<Message> message(factory_.GetPrototype(&type)->New());
  Fill(*message);
  return message;
}

std::unique_ptr<Message> Api::SampleWithMark(const Descriptor& type, const TextField& field,
                                             const std::string& mark) {
  std::unique_ptr<Message> message = Sample(type);
  SetText(*message, field, mark);
  return message;
}

std::string Api::SampleWith(const Descriptor& type, const TextField& field, std::string_view text) {
  // Protobuf also rejects strings that aren't UTF-8 when it serializes them, so a placeholder of
  // their length is replaced afterwards.
  const std::string mark(text.size(), '\x7f');
  std::string bytes = SampleWithMark(type, field, mark)->SerializeAsString();
  if (!text.empty()) bytes.replace(bytes.find(mark), mark.size(), text);
  return bytes;
}

std::string Api::JsonSampleWith(const Descriptor& type, const TextField& field,
                                std::string_view text, const std::vector<std::string>& without) {
  constexpr std::string_view kMark = "the-mark-of-a-field";
  const std::unique_ptr<Message> message = SampleWithMark(type, field, std::string(kMark));
  for (const std::string& name : without) {
    message->GetReflection()->ClearField(message.get(), type.FindFieldByName(name));
  }
  std::string json;
  (void)google::protobuf::util::MessageToJsonString(*message, &json);
  // Within the quotes, escaped as JSON requires but with all other bytes unchanged.
  std::string escaped;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < ' ') {
      escaped += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      escaped += c;
    }
  }
  const std::size_t at = json.find(kMark);  // Not found if the field is one of those left out.
  if (at != std::string::npos) json.replace(at, kMark.size(), escaped);
  return json;
}

}  // namespace ridestream::e2e
