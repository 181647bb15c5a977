# Settings that all targets share: language, warnings, sanitizers and external libraries; and the functions
# that declare libraries, binaries and tests.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(THREADS_PREFER_PTHREAD_FLAG ON)

option(RIDESTREAM_WERROR "Treat warnings as errors" OFF)
option(RIDESTREAM_FUZZ "Build the fuzz targets; with clang and RIDESTREAM_SANITIZE=fuzzer-no-link,…" OFF)
set(RIDESTREAM_SANITIZE "" CACHE STRING "Sanitizers for all targets, e.g. address,undefined or thread")

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # ccache needs these settings to get hits with precompiled headers.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      ${CCACHE_PROGRAM})
endif()

# A debug build links with lld in a sixth of the time that GNU ld takes.
find_program(LLD_PROGRAM ld.lld)
if(LLD_PROGRAM)
  add_link_options(-fuse-ld=lld)
endif()

find_package(Threads REQUIRED)
find_package(absl REQUIRED)
find_package(Protobuf REQUIRED)
find_package(gRPC CONFIG REQUIRED)
find_package(spdlog REQUIRED)
find_package(fmt REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(GTest REQUIRED)
find_package(benchmark REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(ZLIB REQUIRED)
find_package(BZip2 REQUIRED)
find_package(EXPAT REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED)
find_package(Boost REQUIRED)  # Headers only: Asio.
find_package(OpenSSL REQUIRED)
find_package(CURL REQUIRED)
include(GoogleTest)

# S2 comes without a CMake package.
find_library(S2_LIBRARY s2 REQUIRED)
add_library(ridestream_s2 INTERFACE)
add_library(Ridestream::s2 ALIAS ridestream_s2)
target_link_libraries(ridestream_s2 INTERFACE ${S2_LIBRARY} absl::base absl::strings)

# FindPostgreSQL requires the server's headers too.
find_library(PQ_LIBRARY pq REQUIRED)
find_path(PQ_INCLUDE_DIRECTORY libpq-fe.h PATH_SUFFIXES postgresql REQUIRED)
add_library(ridestream_libpq INTERFACE)
add_library(Ridestream::libpq ALIAS ridestream_libpq)
target_link_libraries(ridestream_libpq INTERFACE ${PQ_LIBRARY})
target_include_directories(ridestream_libpq SYSTEM INTERFACE ${PQ_INCLUDE_DIRECTORY})
# librdkafka comes without a CMake package.
find_library(RDKAFKA_LIBRARY rdkafka REQUIRED)
add_library(ridestream_rdkafka INTERFACE)
add_library(Ridestream::rdkafka ALIAS ridestream_rdkafka)
target_link_libraries(ridestream_rdkafka INTERFACE ${RDKAFKA_LIBRARY})

# cjose comes without a CMake package; its pkg-config file requires headers of jansson that it doesn't
# need.
find_library(CJOSE_LIBRARY cjose REQUIRED)

add_library(ridestream_options INTERFACE)
target_compile_options(ridestream_options INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wnon-virtual-dtor
  # GCC 12 gives false warnings about copies in std::string if the header is precompiled (GCC bug 105329).
  "$<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-array-bounds;-Wno-stringop-overread;-Wno-stringop-overflow;-Wno-restrict>"
  $<$<BOOL:${RIDESTREAM_WERROR}>:-Werror>
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety -Werror=thread-safety>)
target_link_libraries(ridestream_options INTERFACE Threads::Threads)

if(RIDESTREAM_SANITIZE)
  add_compile_options(-fsanitize=${RIDESTREAM_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${RIDESTREAM_SANITIZE})
  # These four checks cost a third of the compile time. AddressSanitizer also reports the errors of the first
  # and the last; the other two find little on x86.
  if(RIDESTREAM_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize=null,alignment,vptr,object-size)
  endif()
  # Warnings that GCC gives only with ThreadSanitizer: fences, which abseil's flags use beside atomics, and
  # false reports of uninitialised values in instrumented code.
  if(RIDESTREAM_SANITIZE STREQUAL "thread")
    add_compile_options($<$<CXX_COMPILER_ID:GNU>:-Wno-tsan> $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  endif()
endif()

include_directories("${CMAKE_SOURCE_DIR}")

# ridestream_library(NAME SOURCES a.cc b.h DEPS x y [GRPC])
# Declares a static library. GRPC: its sources include gRPC, so they use gRPC's precompiled header. (fmt and
# spdlog are always linked: a header precompiled without their definitions couldn't be used with them.)
function(ridestream_library name)
  cmake_parse_arguments(ARG "GRPC" "" "SOURCES;DEPS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC ${ARG_DEPS} PRIVATE ridestream_options)
  if(ARG_GRPC)
    target_link_libraries(${name} PUBLIC gRPC::grpc++ fmt::fmt spdlog::spdlog)
    target_precompile_headers(${name} REUSE_FROM ridestream_grpc_pch)
  else()
    target_link_libraries(${name} PRIVATE fmt::fmt)
    target_precompile_headers(${name} REUSE_FROM ridestream_pch)
  endif()
endfunction()

# ridestream_binary(NAME SOURCES main.cc DEPS x y [GRPC])
# Declares the program <build>/bin/NAME. NAME must not be the name of a library.
function(ridestream_binary name)
  cmake_parse_arguments(ARG "GRPC" "OUTPUT" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
  if(ARG_OUTPUT)
    set_target_properties(${name} PROPERTIES OUTPUT_NAME ${ARG_OUTPUT})
  endif()
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} ridestream_options)
  if(ARG_GRPC)
    target_link_libraries(${name} PRIVATE gRPC::grpc++ fmt::fmt spdlog::spdlog)
    target_precompile_headers(${name} REUSE_FROM ridestream_grpc_pch)
  else()
    target_link_libraries(${name} PRIVATE fmt::fmt)
    target_precompile_headers(${name} REUSE_FROM ridestream_pch)
  endif()
endfunction()

# Tests are compiled without optimization, for speed of compilation; the code under test is in libraries.
set(ridestream_test_options -O0)

# ridestream_test(NAME SOURCES a_test.cc DEPS x [GRPC] [NO_TSAN] [SERIAL] [TIMEOUT s])
# Declares a test binary. ctest runs its tests one by one, each with a time limit, which is four times as long
# under sanitizers. SERIAL: no other test runs at the same time.
# ThreadSanitizer runs the tests with the label tsan, which the target tsan_tests builds. GRPC and NO_TSAN
# exclude a test from it. GRPC: gRPC isn't instrumented, so ThreadSanitizer would report its races. NO_TSAN: the
# test starts services, which use gRPC, or is long and has a single thread.
add_custom_target(tsan_tests)
function(ridestream_test name)
  cmake_parse_arguments(ARG "GRPC;NO_TSAN;SERIAL" "TIMEOUT" "SOURCES;DEPS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 60)
  endif()
  if(RIDESTREAM_SANITIZE)
    math(EXPR ARG_TIMEOUT "4 * ${ARG_TIMEOUT}")
  endif()
  if(RIDESTREAM_SANITIZE STREQUAL "thread")
    list(APPEND ARG_SOURCES "${CMAKE_SOURCE_DIR}/libs/testing/tsan_suppressions.cc")
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_compile_options(${name} PRIVATE ${ridestream_test_options})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} ridestream_options GTest::gtest GTest::gmock GTest::gtest_main)
  if(ARG_GRPC)
    target_link_libraries(${name} PRIVATE gRPC::grpc++ fmt::fmt spdlog::spdlog)
    target_precompile_headers(${name} REUSE_FROM ridestream_grpc_test_pch)
  else()
    target_precompile_headers(${name} REUSE_FROM ridestream_test_pch)
  endif()
  set(label no_tsan)
  if(NOT ARG_GRPC AND NOT ARG_NO_TSAN)
    set(label tsan)
    add_dependencies(tsan_tests ${name})
  endif()
  # Two properties for two variables, and one label: gtest_discover_tests can't carry a list.
  # NO_PRETTY_VALUES: without it, ctest appends a parameter's bytes to the test's name, with addresses that
  # differ in each run. Each INSTANTIATE_TEST_SUITE_P names its parameters.
  gtest_discover_tests(${name}
    DISCOVERY_MODE PRE_TEST NO_PRETTY_VALUES
    DISCOVERY_TIMEOUT 60
    WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}"
    PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS ${label} RUN_SERIAL ${ARG_SERIAL}
               ENVIRONMENT_MODIFICATION "RIDESTREAM_BIN=set:${CMAKE_BINARY_DIR}/bin")
endfunction()
