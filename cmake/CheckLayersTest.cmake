# cmake -DFOLDER=SCRATCH -P CheckLayersTest.cmake: tests CheckLayers.cmake on trees of two files.
# FOLDER is overwritten.
cmake_minimum_required(VERSION 3.22)

set(failures "")

# Checks a tree of the file USER with the content INCLUDE in the target `user`, and of HEADER in `owner`.
# LINKS: the targets that `user` links; PUBLIC: those of them that are public. OWNER_LINKS, OWNER_PUBLIC:
# the same for `owner`.
# REFUSED: a regular expression for the error; without it the tree must pass.
function(check name)
  cmake_parse_arguments(ARG "" "USER;INCLUDE;HEADER;REFUSED" "LINKS;PUBLIC;OWNER_LINKS;OWNER_PUBLIC;MORE" ${ARGN})
  file(REMOVE_RECURSE ${FOLDER})
  file(WRITE ${FOLDER}/tree/${ARG_USER} "// A comment.\n${ARG_INCLUDE}\n")
  file(WRITE ${FOLDER}/tree/${ARG_HEADER} "#pragma once\n")
  file(WRITE ${FOLDER}/layers.cmake
    "set(targets user owner middle)\n"
    "set(files_user ${ARG_USER})\nset(deps_user ${ARG_LINKS})\nset(public_deps_user ${ARG_PUBLIC})\n"
    "set(files_owner ${ARG_HEADER})\nset(deps_owner ${ARG_OWNER_LINKS})\n"
    "set(public_deps_owner ${ARG_OWNER_PUBLIC})\n"
    "set(files_middle)\n${ARG_MORE}\n")
  execute_process(
    COMMAND ${CMAKE_COMMAND} -DLAYERS=${FOLDER}/layers.cmake -DSOURCE_DIR=${FOLDER}/tree
            -P ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/CheckLayers.cmake
    RESULT_VARIABLE result ERROR_VARIABLE error)
  string(REGEX REPLACE "[ \n]+" " " error "${error}")
  if(ARG_REFUSED)
    if(result EQUAL 0 OR NOT error MATCHES "${ARG_REFUSED}")
      list(APPEND failures "${name}: not refused with '${ARG_REFUSED}', but: ${result} ${error}")
    endif()
  elseif(NOT result EQUAL 0)
    list(APPEND failures "${name}: refused: ${error}")
  endif()
  set(failures "${failures}" PARENT_SCOPE)
endfunction()

# Allowed and forbidden headers.
set(ab USER libs/a/a.cc HEADER libs/b/b.h)
check(LinkedHeaderPasses ${ab} INCLUDE "#include \"libs/b/b.h\"" LINKS owner)
check(HeaderThatIsNotLinked ${ab} INCLUDE "#include \"libs/b/b.h\"" REFUSED "doesn't link owner")
check(PublicDependencyPasses ${ab} INCLUDE "#include \"libs/b/b.h\"" LINKS middle
      MORE "set(deps_middle owner)\nset(public_deps_middle owner)")
check(PrivateDependencyOfADependency ${ab} INCLUDE "#include \"libs/b/b.h\"" LINKS middle
      MORE "set(deps_middle owner)" REFUSED "doesn't link owner")
check(HeaderOfNoTarget ${ab} INCLUDE "#include \"libs/b/b.h\"" LINKS owner
      MORE "set(files_owner)" REFUSED "a source of no target")
check(Cycle ${ab} LINKS owner OWNER_LINKS middle MORE "set(deps_middle owner)" REFUSED "in a cycle")

# Spellings of an include.
check(AngleBracketsWithoutSpace ${ab} INCLUDE "#include<libs/b/b.h>" REFUSED "doesn't link owner")
check(SpacesWithinTheDirective ${ab} INCLUDE "  #  include   \"libs/b/b.h\""
      REFUSED "doesn't link owner")
check(Neighbour USER libs/a/a.cc HEADER libs/a/b.h INCLUDE "#include \"b.h\"" LINKS owner
      REFUSED "by a relative path")
check(WayUp ${ab} INCLUDE "#include \"../b/b.h\"" LINKS owner REFUSED "by a relative path")
check(WayUpFromTheRoot ${ab} INCLUDE "#include \"libs/a/../b/b.h\"" LINKS owner
      REFUSED "by a relative path")
check(HeaderOfTheSystemPasses ${ab} INCLUDE "#include <vector>")

# Forbidden directions, even if the target links the included header's target.
function(check_direction name user header)
  cmake_parse_arguments(PARSE_ARGV 3 ARG "PASSES" "" "")
  set(expectation REFUSED "${user} must not include ${header}")
  if(ARG_PASSES)
    set(expectation "")
  endif()
  check(${name} USER ${user} HEADER ${header} INCLUDE "#include \"${header}\"" LINKS owner
        ${expectation})
  set(failures "${failures}" PARENT_SCOPE)
endfunction()
check_direction(LibraryToService libs/a/a.cc services/trip/domain/fare.h)
check_direction(ServiceToService services/trip/trip_server.cc services/location/domain/area.h)
check_direction(ServiceToLoadTest services/trip/trip_server.cc loadtest/rider.h)
check_direction(DomainToRpc services/trip/domain/fare.cc services/trip/rpc/service.h)
check_direction(DomainToHandlers services/trip/domain/fare.cc services/trip/handlers/calls.h)
check_direction(HandlersToServer services/trip/handlers/calls.cc services/trip/trip_server.h)
check_direction(RunnerToRpc services/dispatch/runner/planner.cc services/dispatch/rpc/client.h)
check_direction(ProductToTesting services/trip/trip_server.cc services/trip/testing/samples.h)
check_direction(HandlersToDomain services/trip/handlers/calls.cc services/trip/domain/fare.h PASSES)
check_direction(TestToTesting services/trip/trip_server_test.cc services/trip/testing/samples.h
                PASSES)
check_direction(TestToOtherService services/dispatch/dispatch_server_test.cc
                services/trip/trip_server.h PASSES)
check_direction(ClientToLibrary clients/cpp/src/driver.cc libs/base/clock.h)
check_direction(TestOfClientToLibrary clients/cpp/tests/driver_test.cc libs/base/clock.h)
check_direction(ServiceToClient services/trip/trip_server.cc clients/cpp/src/driver.h)
check_direction(LoadTestToClient loadtest/driver/driver.cc clients/cpp/src/driver.h PASSES)
check(PublicHeaderOfTheClientPasses USER loadtest/driver/driver.cc
      HEADER clients/cpp/include/ridestream/client/driver.h
      INCLUDE "#include \"ridestream/client/driver.h\"" LINKS owner)
check(PublicHeaderOfTheClientThatIsNotLinked USER loadtest/driver/driver.cc
      HEADER clients/cpp/include/ridestream/client/driver.h
      INCLUDE "#include \"ridestream/client/driver.h\"" REFUSED "doesn't link owner")
check(DomainLinksGrpc USER services/trip/domain/fare.cc HEADER libs/b/b.h LINKS owner
      OWNER_LINKS gRPC::grpc++ OWNER_PUBLIC gRPC::grpc++ REFUSED "must not depend on gRPC::grpc")
check(RpcLinksGrpcPasses USER services/trip/rpc/service.cc HEADER libs/b/b.h LINKS owner
      OWNER_LINKS gRPC::grpc++ OWNER_PUBLIC gRPC::grpc++ INCLUDE "#include <grpcpp/grpcpp.h>")

file(REMOVE_RECURSE ${FOLDER})
if(failures)
  list(JOIN failures "\n  " text)
  message(FATAL_ERROR "CheckLayers.cmake:\n  ${text}")
endif()
