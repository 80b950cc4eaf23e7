#include <dlfcn.h>
#include <emu/emulator.h>

#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <set>
#include <utility>

#include "block.h"
#include "device_memory.h"
#include "errors.h"
#include "profile.h"
#include "random.h"
#include "shared_memory.h"
#include "streams.h"

namespace emu {
namespace {

/// Writes the kernels that were launched to the file EMU_LAUNCH_LOG when the program ends: their
/// addresses, as nm prints them.
class LaunchLog {
 public:
  static void add(const void* kernel) {
    static LaunchLog* const log = std::getenv("EMU_LAUNCH_LOG") ? new LaunchLog : nullptr;
    if (log) log->kernels_.insert(kernel);
  }

 private:
  LaunchLog() {
    static LaunchLog* const self = this;
    std::atexit([] { self->write(); });
  }
  void write() const {
    FILE* file = std::fopen(std::getenv("EMU_LAUNCH_LOG"), "w");
    if (!file) return;
    for (const void* kernel : kernels_) {
      Dl_info program{};
      dladdr(kernel, &program);
      std::fprintf(file, "%016zx\n",
                   static_cast<size_t>(static_cast<const char*>(kernel) -
                                       static_cast<const char*>(program.dli_fbase)));
    }
    std::fclose(file);
  }

  std::set<const void*> kernels_;
};

bool is_legal(const dim3& grid, const dim3& block) {
  const auto within = [](const dim3& size, unsigned x, unsigned y, unsigned z) {
    return size.x >= 1 && size.y >= 1 && size.z >= 1 && size.x <= x && size.y <= y && size.z <= z;
  };
  return within(block, 1024, 1024, 64) && within(grid, 2147483647, 65535, 65535) &&
         uint64_t{block.x} * block.y * block.z <= 1024;
}

uint3 index_of(uint64_t block, const dim3& grid) {
  return {static_cast<unsigned>(block % grid.x), static_cast<unsigned>(block / grid.x % grid.y),
          static_cast<unsigned>(block / (uint64_t{grid.x} * grid.y))};
}

void run_grid(const Launch& launch) {
  const dim3& grid = launch.grid;
  const uint64_t count = uint64_t{grid.x} * grid.y * grid.z;
  std::vector<uint64_t> order;
  if (settings().seed != 0) {
    order.resize(count);
    std::iota(order.begin(), order.end(), uint64_t{0});
    for (uint64_t i = count; i > 1; --i)
      std::swap(order[i - 1], order[random_below(static_cast<uint32_t>(i))]);
  }
  Block& runner = block();
  runner.begin_launch(launch);
  for (uint64_t i = 0; i < count && !runner.failed(); ++i) {
    reset_shared_memory();
    runner.run(index_of(order.empty() ? i : order[i], grid));
    if (settings().profile) end_profile_of_block();
  }
  reset_shared_memory();
  runner.end_launch();
  if (runner.failed()) report(runner.error(), runner.complaint());
}

}  // namespace

cudaError_t launch(const Launch& launch, cudaStream_t stream, const void* const* pointers,
                   int argument_count) {
  if (lasting_error() != cudaSuccess) return lasting_error();
  const auto refuse = [&](cudaError_t error, const std::string& reason) {
    return report(error, "launch of " + function_name(launch.kernel) + ": " + reason);
  };
  if (!is_legal(launch.grid, launch.block))
    return refuse(cudaErrorInvalidConfiguration, "bad grid or block size");
  for (int i = 0; i < argument_count; ++i)
    if (pointers[i] && !allocation_of(pointers[i]))
      return refuse(cudaErrorLaunchFailure,
                    "argument " + std::to_string(i) +
                        (is_device_address(pointers[i]) ? " points to freed device memory"
                                                        : " is a host pointer"));
  LaunchLog::add(launch.kernel);
  enqueue(stream, [launch] { run_grid(launch); });
  return cudaSuccess;
}

}  // namespace emu
