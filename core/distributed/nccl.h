#pragma once

#include <memory>

#include <pade/core/distributed/communicator.h>

namespace pade::cuda {

/// The ranks of `host`, whose tensors on GPUs are summed and sent by NCCL, from GPU to GPU and
/// beside the kernels that run there; all else goes by `host`. NCCL is opened by the first such
/// tensor. The environment's PADE_NCCL says what is done where it cannot be: AUTO, which is the
/// default, sends those by way of `host`, too; ON throws Error. With OFF nobody asks for NCCL.
///
/// NCCL adds in an order of its own, which is the same every time for the same ranks on the same
/// machines.
std::unique_ptr<Communicator> with_nccl(std::unique_ptr<Communicator> host);

}  // namespace pade::cuda
