# Everything comes from the system's package manager. What is missing is named with the package that
# provides it (Debian's and Ubuntu's names).

macro(pade_require found package)
  if(NOT ${found})
    message(FATAL_ERROR "${package} is missing. On Debian or Ubuntu: apt-get install ${package}")
  endif()
endmacro()

find_path(PADE_CBLAS_INCLUDE_DIR cblas.h
  PATH_SUFFIXES ${CMAKE_LIBRARY_ARCHITECTURE}/openblas-pthread openblas)
find_library(PADE_OPENBLAS_LIBRARY openblas PATH_SUFFIXES openblas-pthread)
pade_require(PADE_CBLAS_INCLUDE_DIR libopenblas-dev)
pade_require(PADE_OPENBLAS_LIBRARY libopenblas-dev)

find_package(Threads QUIET)
pade_require(Threads_FOUND libc6-dev)
find_package(ZLIB QUIET)
pade_require(ZLIB_FOUND zlib1g-dev)
find_package(nlohmann_json QUIET)
pade_require(nlohmann_json_FOUND nlohmann-json3-dev)
find_path(PADE_STB_INCLUDE_DIR stb/stb_image.h)
pade_require(PADE_STB_INCLUDE_DIR libstb-dev)

if(PADE_BUILD_EXAMPLES)
  find_package(CLI11 QUIET)
  pade_require(CLI11_FOUND libcli11-dev)
endif()
if(PADE_BUILD_TESTS)
  find_package(doctest QUIET)
  pade_require(doctest_FOUND doctest-dev)
endif()
