#include <atomic>
#include <cstdlib>
#include <utility>

#include <pade/core/device_choice.h>
#include <pade/core/distributed/communicator.h>
#include <pade/core/distributed/mpi.h>
#include <pade/core/distributed/nccl.h>
#include <pade/core/error.h>

namespace pade {
namespace {

class OneProcess : public Communicator {
 public:
  OneProcess() : Communicator(0, 1) {}
  std::string description() const override { return "one process"; }
  std::unique_ptr<Pending> begin_all_reduce(Tensor) override {
    struct Done : Pending {
      void wait() override {}
    };
    return std::make_unique<Done>();
  }
  void broadcast(Tensor) override {}
  std::vector<std::string> all_gather(const std::string& text) override { return {text}; }
  [[noreturn]] void abort(int exit_code) override { std::_Exit(exit_code); }
};

/// How many processes a launcher says that it has started together. Each tells its processes in a
/// variable of its own; 1 where there is none.
int launched_processes() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MPI_LOCALNRANKS"})
    if (const char* value = std::getenv(name)) return std::atoi(value);
  // Of a step of Slurm with PMIx only the size of the whole step is told.
  if (const char* tasks = std::getenv("SLURM_STEP_NUM_TASKS"); tasks && std::getenv("PMIX_RANK"))
    return std::atoi(tasks);
  return 1;
}

std::atomic<Communicator*> joined_world = nullptr;

std::unique_ptr<Communicator> make_world() {
  const int processes = launched_processes();
  if (processes <= 1) return std::make_unique<OneProcess>();
  std::unique_ptr<Communicator> mpi = make_mpi_communicator();
  check(mpi != nullptr, "this is one of ", processes, " processes that were started together, and ",
        "this build has no MPI to join them; install MPI (libopenmpi-dev) and configure with ",
        "-DPADE_MPI=ON");
  if constexpr (kHasCuda) mpi = cuda::with_nccl(std::move(mpi));
  joined_world = mpi.get();
  return mpi;
}

}  // namespace

Communicator& Communicator::world() {
  static const std::unique_ptr<Communicator> world = make_world();
  return *world;
}

Communicator* Communicator::joined() { return joined_world; }

}  // namespace pade
