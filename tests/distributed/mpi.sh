# shellcheck shell=bash
# Sourced by the tests of several processes: run_ranks N COMMAND… starts N of them on this machine.

# As Open MPI's mpirun wants it, before version 5 and since: more processes than processors, any of
# which each may use, and root where it is a container's.
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none
export PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe PRTE_MCA_hwloc_default_binding_policy=none
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMP_NUM_THREADS=1

# require_mpi MPIEXEC: ends the test where there is none.
require_mpi() {
  [[ -x $1 ]] && mpiexec=$1 && return
  echo "skipped: no MPI (libopenmpi-dev, openmpi-bin)"
  exit 77
}

run_ranks() {
  local count=$1
  shift
  timeout 300 "$mpiexec" -n "$count" "$@"
}

fail() {
  printf 'FAILED: %s\n' "$*" >&2
  exit 1
}
