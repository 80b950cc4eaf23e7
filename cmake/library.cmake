# How the library is put together: the sources for the host, which are the same for every device, and
# beside them the GPU's kernels, compiled by nvcc (here) or as C++ (tests/cuda_on_cpu).

# Moves the sources that have a line like `pattern` from the list `from` to the list `to`.
function(pade_move_sources from to pattern)
  set(moved)
  foreach(source ${${from}})
    file(STRINGS ${source} lines REGEX "${pattern}")
    if(lines)
      list(APPEND moved ${source})
    endif()
  endforeach()
  list(REMOVE_ITEM ${from} ${moved})
  set(${from} ${${from}} PARENT_SCOPE)
  set(${to} ${moved} PARENT_SCOPE)
endfunction()

# Few sources ask whether there are kernels for the GPU; the others are the same in every library.
pade_move_sources(PADE_SOURCES PADE_CHOOSING_SOURCES "^#include <pade/core/device_choice.h>")

# The objects of .cpp files of the library.
function(pade_add_objects name)
  add_library(${name} OBJECT ${ARGN})
  set_source_files_properties(${PROJECT_SOURCE_DIR}/core/build_info.cpp PROPERTIES
    COMPILE_DEFINITIONS "${PADE_BUILD_INFO}")
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_compile_features(${name} PUBLIC cxx_std_20)
  target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O3>)
  target_include_directories(${name}
    PUBLIC ${PROJECT_BINARY_DIR}/include PRIVATE ${PADE_CBLAS_INCLUDE_DIR})
  target_include_directories(${name} SYSTEM PRIVATE ${PADE_STB_INCLUDE_DIR})
  pade_precompile_headers(${name})
  target_link_libraries(${name} PRIVATE
    Threads::Threads ZLIB::ZLIB nlohmann_json::nlohmann_json pade_compile_options)
endfunction()

# Those that ask; `with_cuda` says whether kernels for the GPU will be linked to them.
function(pade_add_choosing_objects name with_cuda)
  pade_add_objects(${name} ${PADE_CHOOSING_SOURCES})
  target_compile_definitions(${name} PRIVATE PADE_HAS_CUDA=$<BOOL:${with_cuda}>)
endfunction()

# What programs that use the library `name` compile and link with.
function(pade_set_usage name)
  target_compile_features(${name} PUBLIC cxx_std_20)
  target_include_directories(${name} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(${name} PRIVATE
    $<BUILD_INTERFACE:${PADE_OPENBLAS_LIBRARY}> $<INSTALL_INTERFACE:pade::openblas>
    Threads::Threads ZLIB::ZLIB ${CMAKE_DL_LIBS})
endfunction()
