# After `cmake --install build --prefix DIR`, an outside project says
#   find_package(pade)
#   target_link_libraries(program PRIVATE pade::pade)
# and includes <pade/pade.h>.
include(CMakePackageConfigHelpers)
include(cmake/public_headers.cmake)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/pade)
install(TARGETS pade EXPORT pade)
install(EXPORT pade NAMESPACE pade:: FILE pade-targets.cmake DESTINATION ${package_dir})

foreach(header pade.h ${PADE_PUBLIC_HEADERS})
  get_filename_component(room ${header} DIRECTORY)
  install(FILES ${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/pade/${room})
endforeach()

configure_package_config_file(cmake/pade-config.cmake.in ${PROJECT_BINARY_DIR}/pade-config.cmake
  INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/pade-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/pade-config.cmake ${PROJECT_BINARY_DIR}/pade-config-version.cmake
  DESTINATION ${package_dir})
