#include "services/gateway/openapi/comments.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_replace.h"
#include "google/protobuf/descriptor.pb.h"

namespace ridestream::gateway {
namespace {

template <class Descriptor>
bool Read(const Descriptor* descriptor, std::string& text) {
  google::protobuf::SourceLocation location;
  if (descriptor == nullptr || !descriptor->GetSourceLocation(&location)) return false;
  text = location.leading_comments;
  return true;
}

}  // namespace

Comments::Comments() {
  google::protobuf::FileDescriptorSet files;
  files.ParseFromArray(kApiDescriptors.data(), static_cast<int>(kApiDescriptors.size()));
  // The set lists each file after its imports.
  for (const auto& file : files.file()) pool_.BuildFile(file);
}

std::string Comments::Find(const std::string& name) const {
  std::string text;
  Read(pool_.FindMethodByName(name), text) || Read(pool_.FindServiceByName(name), text) ||
      Read(pool_.FindMessageTypeByName(name), text) || Read(pool_.FindFieldByName(name), text) ||
      Read(pool_.FindEnumTypeByName(name), text);
  text = absl::StrReplaceAll(text, {{"\n ", "\n"}});
  absl::StripAsciiWhitespace(&text);
  return text;
}

}  // namespace ridestream::gateway
