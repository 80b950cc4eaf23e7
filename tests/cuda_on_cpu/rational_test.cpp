#include <doctest/doctest.h>
#include <emu/emulator.h>

#include <utility>

#include <pade/core/ops/rational.h>
#include <pade/core/random.h>
#include <pade/core/tape.h>

using namespace pade;

namespace {

/// x and what belongs to it, on the GPU.
struct Operands {
  Tensor x, c, d, dy;

  Operands(const Shape& shape, int64_t groups) {
    Rng rng(1);
    x = rng.normal(shape, 0, 1).to(Device::cuda).requires_grad_();
    c = rng.normal({groups, 6}, 0, 1).to(Device::cuda).requires_grad_();
    d = rng.normal({groups, 4}, 0, 1).to(Device::cuda).requires_grad_();
    dy = rng.normal(shape, 0, 1).to(Device::cuda);
  }
  Tensor forward() const { return rational(x, c, d); }
  /// Calls between(), which may look at what happened till then, after the forward pass.
  template <class F>
  void backward(F&& between) const {
    Tape tape;
    const Tensor y = forward();
    Tensor total = Tensor::scalar(0);
    record("total", {&y}, total, {}, [&](Gradients& gradients) { gradients.set(0, dy); });
    between();
    tape.backward(total);
    synchronize(Device::cuda);
  }
};

double bytes_moved() {
  synchronize(Device::cuda);
  return static_cast<double>(emu::counts().bytes_read + emu::counts().bytes_written);
}

}  // namespace

TEST_CASE("rational moves 8 bytes per element forwards, and 12 backwards [cuda]") {
  if (!emu::checks_accesses()) return;
  // Beside those only coefficients, and partial sums of each block of 1024 elements: ten, written
  // and read.
  const double n = 64 * 1024, coefficients = 10 * 4, partial = 2 * 64 * 10 * 8;
  for (const auto& [shape, groups] :
       {std::pair{Shape{64 * 1024}, 1}, std::pair{Shape{4, 4, 64, 64}, 4}}) {
    CAPTURE(to_string(shape));
    const Operands on(shape, groups);
    synchronize(Device::cuda);
    emu::reset_counts();
    on.forward();
    CHECK(bytes_moved() <= 8 * n + groups * coefficients);
    on.backward([] {
      synchronize(Device::cuda);
      emu::reset_counts();
    });
    CHECK(bytes_moved() <= 12 * n + partial + 4 * groups * coefficients);
  }
}

TEST_CASE("rational takes whole sectors of memory, and no detours through banks [cuda]") {
  if (!emu::checks_accesses()) return;
  const Operands on({64 * 1024}, 1);
  const bool profiled = std::exchange(emu::settings().profile, true);
  synchronize(Device::cuda);
  emu::reset_counts();
  on.forward();
  synchronize(Device::cuda);
  // A request of a warp: 16 bytes of each of 32 lanes are 16 sectors of 32 bytes.
  CHECK(emu::counts().write_requests == 64 * 1024 / 4 / 32);
  CHECK(emu::counts().write_sectors == 16 * emu::counts().write_requests);
  on.backward([] {
    synchronize(Device::cuda);
    emu::reset_counts();
  });
  CHECK(emu::counts().shared_write_requests > 0);
  CHECK(emu::counts().bank_conflicts == 0);
  emu::settings().profile = profiled;
}

TEST_CASE("rational gives the same bits whatever the order of threads and blocks [cuda]") {
  for (const auto& [shape, groups] :
       {std::pair{Shape{5003}, 1}, std::pair{Shape{7, 6, 5, 41}, 3}}) {
    CAPTURE(to_string(shape));
    const Operands on(shape, groups);
    on.x.slice(0, 1).fill_(1e20);  // what the loop over all elements leaves out
    std::vector<std::vector<float>> first;
    for (uint64_t seed = 0; seed <= 5; ++seed) {
      CAPTURE(seed);
      const uint64_t before = std::exchange(emu::settings().seed, seed);
      on.backward([] {});
      const std::vector<std::vector<float>> got = {on.x.grad().to_vector<float>(),
                                                   on.c.grad().to_vector<float>(),
                                                   on.d.grad().to_vector<float>()};
      emu::settings().seed = before;
      if (first.empty()) first = got;
      CHECK(got == first);
    }
  }
}
