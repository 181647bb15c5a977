#include "libs/rpc/request_method.h"

namespace ridestream::rpc {

const google::protobuf::MethodDescriptor* MethodOfRequest(
    const google::protobuf::Descriptor& request_type) {
  const google::protobuf::FileDescriptor& file = *request_type.file();
  for (int i = 0; i < file.service_count(); ++i) {
    for (int j = 0; j < file.service(i)->method_count(); ++j) {
      const google::protobuf::MethodDescriptor* method = file.service(i)->method(j);
      if (method->input_type() == &request_type) return method;
    }
  }
  return nullptr;
}

}  // namespace ridestream::rpc
