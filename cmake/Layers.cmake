# The layering, enforced by the build: the target `layers`, part of every build, fails if a file
# includes a header that its target doesn't depend on (CheckLayers.cmake has the rules).

# Sets `out` to the targets of this folder and of those below it.
function(ridestream_targets_below folder out)
  get_property(all_below DIRECTORY ${folder} PROPERTY BUILDSYSTEM_TARGETS)
  get_property(subfolders DIRECTORY ${folder} PROPERTY SUBDIRECTORIES)
  foreach(subfolder ${subfolders})
    ridestream_targets_below(${subfolder} below)
    list(APPEND all_below ${below})
  endforeach()
  set(${out} ${all_below} PARENT_SCOPE)
endfunction()

function(ridestream_check_layers)
  ridestream_targets_below(${CMAKE_SOURCE_DIR} targets)
  set(layers "")
  set(files "")
  set(names "")
  foreach(target ${targets})
    get_target_property(type ${target} TYPE)
    if(NOT type MATCHES "LIBRARY|EXECUTABLE")
      continue()
    endif()
    get_target_property(folder ${target} SOURCE_DIR)
    get_target_property(sources ${target} SOURCES)
    # The PRIVATE dependencies of a static library are passed on to the linker only.
    get_target_property(deps ${target} LINK_LIBRARIES)
    get_target_property(public_deps ${target} INTERFACE_LINK_LIBRARIES)
    foreach(list deps public_deps)
      list(FILTER ${list} EXCLUDE REGEX "LINK_ONLY|-NOTFOUND$")
    endforeach()
    set(owned "")
    foreach(source ${sources})
      cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY ${folder} NORMALIZE)
      cmake_path(IS_PREFIX CMAKE_SOURCE_DIR ${source} is_inside)
      cmake_path(IS_PREFIX CMAKE_BINARY_DIR ${source} is_generated)
      if(is_inside AND NOT is_generated AND source MATCHES "\\.(cc|h)$")
        list(APPEND files ${source})
        cmake_path(RELATIVE_PATH source BASE_DIRECTORY ${CMAKE_SOURCE_DIR})
        list(APPEND owned ${source})
      endif()
    endforeach()
    list(APPEND names ${target})
    string(APPEND layers "set(deps_${target} ${deps})\nset(public_deps_${target} ${public_deps})\nset(files_${target} ${owned})\n")
  endforeach()
  set(written ${CMAKE_BINARY_DIR}/layers.cmake)
  file(CONFIGURE OUTPUT ${written} CONTENT "set(targets ${names})\n${layers}" @ONLY)
  list(REMOVE_DUPLICATES files)
  add_custom_command(
    OUTPUT ${CMAKE_BINARY_DIR}/layers.stamp
    COMMAND ${CMAKE_COMMAND} -DLAYERS=${written} -DSOURCE_DIR=${CMAKE_SOURCE_DIR}
            -P ${CMAKE_SOURCE_DIR}/cmake/CheckLayers.cmake
    COMMAND ${CMAKE_COMMAND} -E touch ${CMAKE_BINARY_DIR}/layers.stamp
    DEPENDS ${written} ${files} ${CMAKE_SOURCE_DIR}/cmake/CheckLayers.cmake
    COMMENT "Checking the layers"
    VERBATIM)
  add_custom_target(layers ALL DEPENDS ${CMAKE_BINARY_DIR}/layers.stamp)
  add_test(NAME CheckLayers
    COMMAND ${CMAKE_COMMAND} -DFOLDER=${CMAKE_BINARY_DIR}/check_layers_test
            -P ${CMAKE_SOURCE_DIR}/cmake/CheckLayersTest.cmake)
endfunction()
