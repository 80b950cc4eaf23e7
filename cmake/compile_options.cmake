# How our own sources are compiled; users of the library are not affected.
add_library(pade_compile_options INTERFACE)
target_compile_options(pade_compile_options INTERFACE
  -Wall -Wextra -Wpedantic -Wno-missing-field-initializers
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>  # g++ 12 sees overlaps in std::string that are not there
  -fno-math-errno -fno-trapping-math  # results stay the same; loops become vectorisable
  -fopenmp-simd                       # #pragma omp simd, and nothing else of OpenMP
  $<$<CONFIG:Release>:-O3>)
if(PADE_NATIVE)
  target_compile_options(pade_compile_options INTERFACE -march=native)
endif()
if(PADE_SANITIZE)
  target_compile_options(pade_compile_options INTERFACE
    -fsanitize=${PADE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer
    -O1 -g1)  # line numbers, and a build in minutes
  target_link_options(pade_compile_options INTERFACE -fsanitize=${PADE_SANITIZE})
endif()

# How the GPU's kernels are compiled by nvcc.
add_library(pade_cuda_options INTERFACE)
target_compile_options(pade_cuda_options INTERFACE
  $<$<COMPILE_LANGUAGE:CUDA>:--expt-relaxed-constexpr -lineinfo
  -Xcompiler=-Wall,-Wextra,-Wno-unknown-pragmas>)
