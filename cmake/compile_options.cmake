# How our own sources are compiled; users of the library are not affected. Programs and tests leave
# the loops to the library: they ask for -O1, which takes a third less time to compile.
set(PADE_OF_THIS_COMPILER)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)  # it sees overlaps in std::string that are not there …
  set(PADE_OF_THIS_COMPILER -Wno-restrict)
  if(CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)  # … and overruns, with precompiled headers
    list(APPEND PADE_OF_THIS_COMPILER -Wno-stringop-overflow -Wno-array-bounds)
  endif()
endif()
add_library(pade_compile_options INTERFACE)
target_compile_options(pade_compile_options INTERFACE
  -Wall -Wextra -Wpedantic -Wno-missing-field-initializers
  ${PADE_OF_THIS_COMPILER}
  $<$<CXX_COMPILER_ID:Clang>:-Wno-for-loop-analysis>  # which does not see what lambdas change
  $<$<CXX_COMPILER_ID:Clang>:-Wno-pass-failed>        # #pragma omp simd permits, and demands nothing
  $<$<CXX_COMPILER_ID:Clang>:-ffp-contract=fast>      # across operators of lanes, as g++ does
  -fno-math-errno -fno-trapping-math  # results stay the same; loops become vectorisable
  -fopenmp-simd)                      # #pragma omp simd, and nothing else of OpenMP
if(PADE_NATIVE)
  include(CheckCXXCompilerFlag)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "86|AMD64")
    set(native -march=native)
  else()
    set(native -mcpu=native)  # there -march=native would not tune; on x86 this would do nothing else
  endif()
  check_cxx_compiler_flag(${native} PADE_CAN_BE_NATIVE)
  if(NOT PADE_CAN_BE_NATIVE)
    message(FATAL_ERROR "PADE_NATIVE is ON, but the compiler has no ${native}. Configure with "
      "-DPADE_NATIVE=OFF; CMAKE_CXX_FLAGS may name a processor")
  endif()
  target_compile_options(pade_compile_options INTERFACE ${native})
  message(STATUS "Padé: tuned for this machine's processor (PADE_NATIVE=OFF: for all of its kind)")
else()
  message(STATUS "Padé: for all ${CMAKE_SYSTEM_PROCESSOR} processors that CMAKE_CXX_FLAGS allow")
endif()
if(PADE_SANITIZE)
  target_compile_options(pade_compile_options INTERFACE
    -fsanitize=${PADE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer
    -O1 -g1)  # line numbers, and a build in minutes
  target_link_options(pade_compile_options INTERFACE -fsanitize=${PADE_SANITIZE})
endif()
add_library(pade_program_options INTERFACE)
target_compile_options(pade_program_options INTERFACE $<$<CONFIG:Release>:-O1>)
target_link_libraries(pade_program_options INTERFACE pade_compile_options)

# Compiles the standard library's longest headers once for a target, with others that are given: half
# a second of each file. That files include what they use nevertheless, a test reads.
function(pade_precompile_headers target)
  target_precompile_headers(${target} PRIVATE <algorithm> <cmath> <filesystem> <functional>
    <iostream> <map> <memory> <mutex> <optional> <span> <sstream> <string> <thread> <unordered_map>
    <variant> <vector> ${ARGN})
endfunction()

# How the GPU's kernels are compiled by nvcc.
add_library(pade_cuda_options INTERFACE)
target_compile_options(pade_cuda_options INTERFACE
  $<$<COMPILE_LANGUAGE:CUDA>:--expt-relaxed-constexpr -lineinfo
  $<$<BOOL:${PADE_NVCC_COMPRESSES}>:--compress-mode=size>
  -Xcompiler=-Wall,-Wextra,-Wno-unknown-pragmas>)
