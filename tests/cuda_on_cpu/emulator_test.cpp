#include <cuda_runtime.h>
#include <doctest/doctest.h>
#include <emu/emulator.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>
#include <utility>

#include <pade/core/error.h>
#include <pade/core/ops/elementwise.h>
#include <pade/core/random.h>
#include <pade/core/tape.h>

#include "tests/cuda_on_cpu/planted_bugs.h"

using namespace pade;

namespace {

/// Runs a planted bug's kernel and gives what the library says of it; nothing where all is well.
std::string complaint_about(const std::string& name) {
  const Tensor x = Tensor::ones({256}, DType::float32, Device::cuda);
  Tensor y = Tensor::zeros({64}, DType::float32, Device::cuda);
  synchronize(Device::cuda);
  const std::vector<float> host(64, 1);
  const bool was_quiet = std::exchange(emu::settings().quiet, true);
  std::string complaint;
  try {
    planted::run(name, x, y, host.data());
    synchronize(Device::cuda);
  } catch (const Error& error) {
    complaint = error.what();
  }
  emu::settings().quiet = was_quiet;
  emu::take_report();
  emu::reset_device();
  return complaint;
}

struct Bug {
  const char *name, *complaint;
  bool found_unchecked;  ///< without looking at every access
};

const Bug kBugs[] = {
    {"divergent_barrier", "divergent __syncthreads", true},
    {"missing_barrier", "shared memory", false},
    {"missing_second_barrier", "data race", false},
    {"missing_warp_barrier", "shared memory", false},
    {"one_too_many", "unallocated device memory", false},
    {"one_too_many_shared", "out of bounds of a shared array", false},
    {"unwritten_shared", "shared memory used before it was written", false},
    {"unwritten_global", "global memory used before it was written", false},
    {"race_of_threads", "data race", false},
    {"race_of_blocks", "against another block", false},
    {"shuffle_of_absent_lanes", "warp collective", true},
    {"early_return", "return", true},
    {"misaligned_pack", "misaligned", false},
    {"host_address", "argument 0 is a host pointer", true},
    {"host_address_in_struct", "host memory used in a kernel", false},
    {"use_after_free", "points to freed device memory", true},
    {"too_many_threads", "bad grid or block size", true},
};

/// Restores the order of threads that a test changes.
class Order {
 public:
  explicit Order(uint64_t seed) : before_(emu::settings().seed) { emu::settings().seed = seed; }
  ~Order() { emu::settings().seed = before_; }

 private:
  uint64_t before_;
};

}  // namespace

TEST_CASE("planted bugs are found, and named by an Error [cuda]") {
  for (const Bug& bug : kBugs) {
    if (!bug.found_unchecked && !emu::checks_accesses()) continue;
    CAPTURE(std::string(bug.name));
    const std::string complaint = complaint_about(bug.name);
    CHECK_MESSAGE(complaint.find(bug.complaint) != std::string::npos, complaint);
  }
}

TEST_CASE("kernels that are right are let through [cuda]") {
  for (const char* name : {"copy", "warp_barrier", "count_by_atomics", "two_sums_in_turn"})
    CHECK(complaint_about(name) == "");
}

TEST_CASE("a launch that fails names the op, and the GPU can be used again [cuda]") {
  CHECK(complaint_about("too_many_threads").starts_with("too_many_threads: "));
  CHECK(exp(Tensor::zeros({3}, DType::float32, Device::cuda)).at({0}) == 1);
}

TEST_CASE("sums in two passes do not depend on the order of threads, atomic ones do [cuda]") {
  const Tensor x = Rng(1).uniform({1024}, -1, 1).to(Device::cuda);
  std::set<float> in_passes, by_atomics;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const Order order(seed);
    Tensor sum = Tensor::zeros({1}, DType::float32, Device::cuda);
    Tensor partials = Tensor::zeros({4}, DType::float32, Device::cuda);
    planted::sum_in_two_passes(x, partials, sum);
    in_passes.insert(static_cast<float>(sum.item()));
    sum.fill_(0);
    planted::sum_by_atomics(x, sum);
    by_atomics.insert(static_cast<float>(sum.item()));
  }
  CHECK(in_passes.size() == 1);
  CHECK(by_atomics.size() > 5);
}

TEST_CASE("asynchronous copies arrive when somebody waits, not before [cuda]") {
  float* host = nullptr;
  cudaMallocHost(&host, 16);
  host[3] = 0;
  const Tensor x = Tensor::full({4}, 7, DType::float32, Device::cuda);
  synchronize(Device::cuda);
  cudaStream_t stream = nullptr;
  cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
  cudaMemcpyAsync(host, x.address<float>(), 16, cudaMemcpyDeviceToHost, stream);
  CHECK(host[3] == 0);
  cudaStreamSynchronize(stream);
  CHECK(host[3] == 7);
  cudaStreamDestroy(stream);
  cudaFreeHost(host);
}

TEST_CASE("host code that touches memory of the GPU is stopped [cuda]") {
  if (!emu::settings().guard) return;
  const Tensor x = Tensor::ones({1}, DType::float32, Device::cuda);
  synchronize(Device::cuda);
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGSEGV, SIG_DFL);
    const volatile float* address = x.address<float>();
    _exit(*address == 1 ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGSEGV);
}

TEST_CASE("memory that nobody frees is reported with its place [cuda]") {
  void* lost = nullptr;
  cudaMalloc(&lost, 1234);
  CHECK(emu::leak_report().find("1234 bytes") != std::string::npos);
  CHECK(emu::leak_report().find("emulator_test.cpp") != std::string::npos);
  cudaFree(lost);
  CHECK(emu::leak_report().find("1234 bytes") == std::string::npos);
}

TEST_CASE("elementwise kernels move each byte once [cuda]") {
  if (!emu::checks_accesses()) return;
  Tensor x = Rng(2).uniform({20000}, -1, 1).to(Device::cuda).requires_grad_();
  synchronize(Device::cuda);
  const auto bytes_per_element = [&](const auto& work) {
    emu::reset_counts();
    work();
    synchronize(Device::cuda);
    return static_cast<double>(emu::counts().bytes_read + emu::counts().bytes_written) / 20000;
  };
  CHECK(bytes_per_element([&] { relu(x); }) == 8);
}
