# Whether programs that mpirun starts can work together: sets PADE_WITH_MPI, and says in one line why.
set(PADE_MPI AUTO CACHE STRING "Several processes: AUTO (where MPI is found), ON or OFF")
set_property(CACHE PADE_MPI PROPERTY STRINGS AUTO ON OFF)

set(PADE_WITH_MPI OFF)
if(NOT PADE_MPI STREQUAL OFF)
  set(MPI_CXX_SKIP_MPICXX ON)  # MPI's C functions are all that is used
  find_package(MPI QUIET COMPONENTS CXX)
  if(MPI_CXX_FOUND)
    set(PADE_WITH_MPI ON)
  elseif(PADE_MPI STREQUAL ON)
    message(FATAL_ERROR "PADE_MPI is ON, but there is no MPI. On Debian or Ubuntu: "
      "apt-get install libopenmpi-dev openmpi-bin")
  endif()
endif()

if(PADE_WITH_MPI)
  message(STATUS "Padé: several processes by MPI ${MPI_CXX_VERSION}, ${MPIEXEC_EXECUTABLE}")
elseif(PADE_MPI STREQUAL OFF)
  message(STATUS "Padé: one process only, as PADE_MPI is OFF")
else()
  message(STATUS "Padé: one process only, as there is no MPI (PADE_MPI=ON makes that an error)")
endif()
