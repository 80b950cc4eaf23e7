#pragma once

#include <memory>

#include <pade/core/distributed/communicator.h>

namespace pade {

/// All ranks of MPI_COMM_WORLD; null where this build has no MPI.
std::unique_ptr<Communicator> make_mpi_communicator();

}  // namespace pade
