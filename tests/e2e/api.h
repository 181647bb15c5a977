#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/message.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ridestream::e2e {

/// A string or bytes field within a message: the path of fields, ending with the field itself. For
/// a repeated field, its first element.
using TextField = std::vector<const google::protobuf::FieldDescriptor*>;

/// The field's name in errors: "positions[0].driver_id".
std::string NameOf(const TextField& field);

/// The API as the protos define it, and requests generated only from that: a test that iterates
/// over it covers a new method or field as soon as the proto has it.
class Api {
 public:
  Api();

  /// The methods of all services of Ridestream, in the order of the protos.
  const std::vector<const google::protobuf::MethodDescriptor*>& methods() const { return methods_; }

  /// All strings and bytes of a message, at any depth.
  static std::vector<TextField> TextFieldsOf(const google::protobuf::Descriptor& type);

  /// A message with a value in each field, or in the first field of a oneof: ids are "x-1", the
  /// market is "city", places are in it, numbers are 1, and lists have one element.
  std::unique_ptr<google::protobuf::Message> Sample(const google::protobuf::Descriptor& type);
  /// The same with another text in one field, serialized. The text may be invalid UTF-8.
  std::string SampleWith(const google::protobuf::Descriptor& type, const TextField& field,
                         std::string_view text);
  /// The same as JSON, without some of the fields.
  std::string JsonSampleWith(const google::protobuf::Descriptor& type, const TextField& field,
                             std::string_view text, const std::vector<std::string>& without = {});

 private:
  std::unique_ptr<google::protobuf::Message> SampleWithMark(
      const google::protobuf::Descriptor& type, const TextField& field, const std::string& mark);

  google::protobuf::DescriptorPool pool_;
  google::protobuf::DynamicMessageFactory factory_;
  std::vector<const google::protobuf::MethodDescriptor*> methods_;
};

}  // namespace ridestream::e2e
