#include <dlfcn.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <pade/core/device.h>
#include <pade/core/distributed/nccl.h>
#include <pade/core/error.h>
#include <pade/core/ops/arithmetic.h>

using namespace pade;

namespace {

/// One rank of three, the first of which has sent its id.
class FakeHost : public Communicator {
 public:
  explicit FakeHost(int rank) : Communicator(rank, 3) {}
  std::string description() const override { return "three ranks"; }
  std::unique_ptr<Pending> begin_all_reduce(Tensor values) override {
    CHECK((values.size() == 0 || !values.on_cuda()));
    struct Done : Pending {
      void wait() override {}
    };
    values.mul_(100);
    return std::make_unique<Done>();
  }
  void broadcast(Tensor values) override { CHECK_FALSE(values.on_cuda()); }
  std::vector<std::string> all_gather(const std::string& text) override {
    std::string of_first = text;
    if (rank() > 0 && text.size() == 128) of_first = "what rank 0 got" + std::string(113, '\0');
    return {of_first, text, text};
  }
  [[noreturn]] void abort(int exit_code) override { std::_Exit(exit_code); }
};

/// What the emulation's NCCL has been called for; null where there is a real one, or none.
using Calls = const char*();
Calls* calls_of_stub() { return reinterpret_cast<Calls*>(dlsym(RTLD_DEFAULT, "emu_nccl_calls")); }

}  // namespace

TEST_CASE("tensors on GPUs are summed by NCCL [cuda]") {
  Calls* const calls = calls_of_stub();
  if (!calls) return;
  for (const int rank : {0, 1}) {
    calls();
    const auto ranks = cuda::with_nccl(std::make_unique<FakeHost>(rank));
    CHECK(ranks->rank() == rank);
    CHECK(ranks->size() == 3);
    CHECK(ranks->description() == "three ranks");

    const Tensor here = Tensor::full({4}, 2);
    ranks->all_reduce(here);
    CHECK(here.at({0}) == 200);
    CHECK(std::string(calls()).empty());  // NCCL is for tensors on GPUs alone

    const Tensor there = Tensor::full({1000}, 1, DType::float32, Device::cuda) * 2;
    const Tensor wide = Tensor::full({7, 3}, 0.5, DType::float64, Device::cuda);
    {
      const auto first = ranks->begin_all_reduce(there);
      const auto second = ranks->begin_all_reduce(wide);
      second->wait();
      first->wait();
    }
    CHECK((there + 1).min().item() == 7);
    CHECK(there.max().item() == 6);
    CHECK(wide.min().item() == 1.5);
    ranks->broadcast(there);
    CHECK(there.max().item() == 6);
    ranks->all_reduce(Tensor::empty({0}, DType::float32, Device::cuda));
    const std::string id = rank == 0 ? "id; " : "";
    const std::string of = rank == 0 ? "the id of rank 0" : "what rank 0 got";
    CHECK(std::string(calls()) ==
          id + "rank " + std::to_string(rank) + " of 3 joins " + of +
              "; sum of 1000 float32; sum of 21 float64; broadcast of 1000; ");
    CHECK(ranks->description() == "three ranks, NCCL 2.28");
    CHECK_THROWS_WITH_AS(ranks->all_reduce(Tensor::zeros({2}, DType::int32, Device::cuda)),
                         "a Communicator takes float32 and float64, got int32", Error);
  }
}

TEST_CASE("PADE_NCCL says whether NCCL is asked [cuda]") {
  Calls* const calls = calls_of_stub();
  if (!calls) return;
  calls();
  setenv("PADE_NCCL", "OFTEN", 1);
  const auto ranks = cuda::with_nccl(std::make_unique<FakeHost>(0));
  const Tensor there = Tensor::ones({3}, DType::float32, Device::cuda);
  CHECK_THROWS_WITH_AS(ranks->all_reduce(there),
                       "PADE_NCCL: expected AUTO, ON or OFF, got \"OFTEN\"", Error);
  setenv("PADE_NCCL", "ON", 1);
  const auto others = cuda::with_nccl(std::make_unique<FakeHost>(0));
  others->all_reduce(there);
  unsetenv("PADE_NCCL");
  CHECK(there.min().item() == 3);
}
