# What core/build_info.cpp reports. The commit is read when CMake configures, which it does again
# whenever HEAD moves.
find_package(Git QUIET)
set(commit unknown)
if(GIT_FOUND)
  execute_process(COMMAND ${GIT_EXECUTABLE} describe --always --dirty
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
    OUTPUT_VARIABLE described OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
  if(NOT failed)
    set(commit ${described})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
      ${PROJECT_SOURCE_DIR}/.git/HEAD ${PROJECT_SOURCE_DIR}/.git/logs/HEAD)
  endif()
endif()
set(compiler "${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}, ${CMAKE_BUILD_TYPE}")
if(PADE_NATIVE)
  string(APPEND compiler ", native")
endif()
set(cuda none)
if(PADE_WITH_CUDA)
  list(JOIN CMAKE_CUDA_ARCHITECTURES "," architectures)
  set(cuda "${CMAKE_CUDA_COMPILER_VERSION} for ${architectures}")
endif()
set(PADE_BUILD_INFO "PADE_VERSION=\"${PROJECT_VERSION}\"" "PADE_COMMIT=\"${commit}\""
  "PADE_COMPILER=\"${compiler}\""
  "PADE_SYSTEM_PROCESSOR=\"${CMAKE_SYSTEM_PROCESSOR}\"" "PADE_CUDA_TOOLKIT=\"${cuda}\"")
