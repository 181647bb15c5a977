# ridestream_client_stubs: the messages and stubs of the protos that the library uses.
set(protos ${CMAKE_CURRENT_SOURCE_DIR}/../../proto)
set(stubs_folder ${CMAKE_CURRENT_BINARY_DIR}/stubs)
set(services dispatch/v1/dispatch market/v1/market trip/v1/trip)
get_target_property(grpc_plugin gRPC::grpc_cpp_plugin LOCATION)

set(generated)
set(inputs)
foreach(stem auth/v1/policy common/v1/common common/v1/http ${services})
  list(APPEND inputs ${protos}/ridestream/${stem}.proto)
  list(APPEND generated ${stubs_folder}/ridestream/${stem}.pb.cc)
  if(stem IN_LIST services)
    list(APPEND generated ${stubs_folder}/ridestream/${stem}.grpc.pb.cc)
  endif()
endforeach()

file(MAKE_DIRECTORY ${stubs_folder})
add_custom_command(
  OUTPUT ${generated}
  COMMAND ${Protobuf_PROTOC_EXECUTABLE} --proto_path=${protos} --cpp_out=${stubs_folder}
    --grpc_out=${stubs_folder} --plugin=protoc-gen-grpc=${grpc_plugin} ${inputs}
  DEPENDS ${inputs}
  VERBATIM)

add_library(ridestream_client_stubs STATIC ${generated})
# Generated messages each define statics of the same names.
set_target_properties(ridestream_client_stubs PROPERTIES EXPORT_NAME client_stubs UNITY_BUILD OFF)
target_include_directories(ridestream_client_stubs SYSTEM PUBLIC $<BUILD_INTERFACE:${stubs_folder}>)
target_link_libraries(ridestream_client_stubs
  PUBLIC protobuf::libprotobuf gRPC::grpc++ Threads::Threads)
