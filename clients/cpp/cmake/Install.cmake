# cmake --install: the headers, the two libraries, and the package `ridestream` for find_package.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/ridestream)

install(TARGETS ridestream_client ridestream_client_stubs EXPORT ridestream
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY include/ ${stubs_folder}/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.h")
install(EXPORT ridestream NAMESPACE ridestream:: FILE ridestream-targets.cmake DESTINATION ${package})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/ridestream-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES cmake/ridestream-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/ridestream-config-version.cmake
  DESTINATION ${package})
