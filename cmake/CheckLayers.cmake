# Run by the target `layers`: cmake -DLAYERS=FILE -DSOURCE_DIR=FOLDER -P CheckLayers.cmake
# FILE sets `targets`, and for each target T: files_T, deps_T (the targets that T links) and public_deps_T
# (those that targets which link T may use too). Fails unless
#  * libraries depend on each other without a cycle,
#  * each include names a header of the project by its path from SOURCE_DIR, or a public one of the C++
#    client library by its path from there,
#  * each header of the project that is included is a source of some target,
#  * a file includes only headers of its own target, of the targets that it links, and of their public
#    dependencies; generated headers and gRPC's count as headers of proto_messages, proto_services and
#    gRPC::grpc++,
#  * no include and no dependency goes in a forbidden direction (the tables below).
cmake_minimum_required(VERSION 3.22)
include(${LAYERS})

# The C++ client library's public headers are included by their path from here, as by its users.
set(public_includes clients/cpp/include/)

# Tests may start other services and use test helpers.
set(test_files "_test\\.cc$|_bench\\.cc$|/testing/|^tests/")
# State machines and their runners: they use ports, which the surrounding libraries implement.
set(inner_rooms
    "^services/([^/]+/(domain|handlers)|dispatch/(candidates|drive|matching|runner|streets))/")

# Pairs of regular expressions: files other than tests, and headers that they must not include. A
# service must not include another one either.
set(forbidden_headers
  "^libs/" "^(clients|deploy|loadtest|services|tests)/"
  "^services/" "^(clients|deploy|loadtest|tests)/"
  "^loadtest/" "^(deploy|services|tests)/"
  "^deploy/" "^(loadtest|services|tests)/"
  "^(libs|loadtest|services)/" "/testing/"
  "${inner_rooms}" "^services/[^/]+/(kafka/|rpc/|storage/|[^/]+\\.h$)|^libs/(postgres|sqlite)/"
  "^services/[^/]+/domain/" "^services/[^/]+/(candidates|drive|handlers|runner|streets)/")
# The same, for tests too: a client library is built without the rest of the project.
set(forbidden_headers_of_all "^clients/" "^(deploy|libs|loadtest|services|tests)/")
# Pairs of regular expressions: files, tests included, and targets that their own target must not
# link, not even through others.
set(forbidden_targets
  "${inner_rooms}" "^gRPC::|^proto_services$|^(postgres|sqlite)_db$")

set(errors "")

# Sets the global property usable_T: the targets whose headers a file may include that links T.
# `path` leads to T.
function(find_usable target path)
  get_property(is_known GLOBAL PROPERTY usable_${target} SET)
  if(is_known)
    return()
  endif()
  if(target IN_LIST path)
    message(FATAL_ERROR "libraries depend on each other in a cycle: ${path};${target}")
  endif()
  set(usable ${target})
  foreach(dep ${deps_${target}} ${public_deps_${target}})
    if(dep IN_LIST targets)
      find_usable(${dep} "${path};${target}")
    else()
      set_property(GLOBAL PROPERTY usable_${dep} ${dep})
    endif()
    if(dep IN_LIST public_deps_${target})
      get_property(usable_of_dep GLOBAL PROPERTY usable_${dep})
      list(APPEND usable ${usable_of_dep})
    endif()
  endforeach()
  list(REMOVE_DUPLICATES usable)
  set_property(GLOBAL PROPERTY usable_${target} ${usable})
endfunction()

# Appends to errors if a table of pairs forbids `file` to use one of `used`.
macro(check_table table file verb used)
  set(table_left ${${table}})
  while(table_left)
    list(POP_FRONT table_left files forbidden)
    if("${file}" MATCHES "${files}")
      foreach(use ${used})
        if(use MATCHES "${forbidden}")
          list(APPEND errors "${file} must not ${verb} ${use}")
        endif()
      endforeach()
    endif()
  endwhile()
endmacro()

# The same if the file of one service includes a header of another one.
macro(check_services file header)
  string(REGEX MATCH "^services/[^/]+/" own "${file}")
  string(REGEX MATCH "^services/[^/]+/" other "${header}")
  if(own AND other AND NOT own STREQUAL other)
    list(APPEND errors "${file} must not include ${header}")
  endif()
endmacro()

foreach(target ${targets})
  find_usable(${target} "")
  foreach(file ${files_${target}})
    if(file MATCHES "\\.h$")
      list(APPEND owners_${file} ${target})
    endif()
  endforeach()
endforeach()

foreach(target ${targets})
  get_property(usable GLOBAL PROPERTY usable_${target})
  foreach(dep ${deps_${target}})
    get_property(usable_of_dep GLOBAL PROPERTY usable_${dep})
    list(APPEND usable ${usable_of_dep})
  endforeach()
  list(REMOVE_DUPLICATES usable)
  foreach(file ${files_${target}})
    check_table(forbidden_targets ${file} "depend on" "${usable}")
    cmake_path(GET file PARENT_PATH folder)
    file(STRINGS ${SOURCE_DIR}/${file} lines REGEX "^[ \t]*#[ \t]*include[ \t]*[<\"]")
    foreach(line ${lines})
      string(REGEX REPLACE "^[ \t]*#[ \t]*include[ \t]*[<\"]([^>\"]+).*" "\\1" header "${line}")
      if(DEFINED owners_${public_includes}${header})
        set(header ${public_includes}${header})
      endif()
      if(header MATCHES "^ridestream/.*\\.grpc\\.pb\\.h$")
        set(owners proto_services)
      elseif(header MATCHES "^ridestream/.*\\.pb\\.h$")
        set(owners proto_messages)
      elseif(header MATCHES "^(grpc|grpcpp)/")
        set(owners gRPC::grpc++)
      elseif(DEFINED owners_${header})
        set(owners ${owners_${header}})
        check_table(forbidden_headers_of_all ${file} "include" ${header})
        if(NOT file MATCHES "${test_files}")
          check_table(forbidden_headers ${file} "include" ${header})
          check_services(${file} ${header})
        endif()
      elseif(header MATCHES "(^|/)\\.\\.?/" OR EXISTS ${SOURCE_DIR}/${folder}/${header})
        list(APPEND errors "${file} includes ${header} by a relative path")
        continue()
      elseif(EXISTS ${SOURCE_DIR}/${header})
        list(APPEND errors "${file} includes ${header}, which is a source of no target")
        continue()
      else()
        continue()
      endif()
      set(reaches NO)
      foreach(owner ${owners})
        if(owner IN_LIST usable)
          set(reaches YES)
        endif()
      endforeach()
      if(NOT reaches)
        list(APPEND errors "${file} (${target}) includes ${header}, but doesn't link ${owners}")
      endif()
    endforeach()
  endforeach()
endforeach()

if(errors)
  list(REMOVE_DUPLICATES errors)
  list(JOIN errors "\n  " text)
  message(FATAL_ERROR "Layering violations:\n  ${text}")
endif()
