#include <doctest/doctest.h>

#include <sstream>
#include <vector>

#include <pade/core/gradcheck.h>
#include <pade/core/ops/arithmetic.h>
#include <pade/core/ops/batch_norm.h>
#include <pade/core/ops/elementwise.h>
#include <pade/core/ops/reduce.h>
#include <pade/core/parallel.h>
#include <pade/core/random.h>
#include <pade/core/tape.h>

#include "tests/devices.h"
#include "tests/fixtures/fixture.h"

using namespace pade;

namespace {

struct Inputs {
  Tensor x, gamma, beta;

  explicit Inputs(const Shape& shape, Device device = Device::cpu, uint64_t seed = 1) {
    Rng rng(seed);
    x = rng.normal(shape, 1, 2, DType::float64).to(device).requires_grad_();
    gamma = rng.uniform({shape[1]}, 0.5, 2, DType::float64).to(device).requires_grad_();
    beta = rng.uniform({shape[1]}, -1, 1, DType::float64).to(device).requires_grad_();
  }
  Tensor in_one(const ElementwiseFunction& f) const {
    return norm_act(x, gamma, beta, {}, {}, {}, f);
  }
  Tensor in_two(const ElementwiseFunction& f) const {
    return apply(f, batch_norm(x, gamma, beta, {}, {}));
  }
};

Tensor leaf(const std::vector<double>& values, const Shape& shape, Device device) {
  return Tensor::from<double>(values, shape).to(device).requires_grad_();
}

const Formula& formula(const char* name) { return *find_formula(name); }

/// One of each kind: without constants, from its value, with constants that learn or do not, P/Q.
std::vector<ElementwiseFunction> functions(Device device, int64_t groups = 1) {
  std::vector<double> c, d;
  for (int64_t group = 0; group < groups; ++group) {
    c.insert(c.end(), {0.1, 1, 0.3, 0.2});
    d.insert(d.end(), {0.5, 0.2});
  }
  return {{formula("tanh"), std::vector<double>{}},
          {formula("relu"), std::vector<double>{}},
          {formula("leaky_relu"), std::vector<double>{0.1}},
          {formula("swish"), leaf({1.5}, {1}, device)},
          {formula("smu"), leaf({0.25, 1}, {2}, device), {false, true}},
          {leaf(c, {groups, 4}, device), leaf(d, {groups, 2}, device), RationalOptions{}}};
}

const Shape kShapes[] = {{5, 3, 4, 4},   {2, 1, 30, 40}, {70, 130, 1, 1},
                         {3, 600, 2, 3}, {4, 7},         {2, 2, 90, 100}};

}  // namespace

DEVICE_TEST_CASE("norm_act has the bits of apply(f, batch_norm(x))") {
  for (const Shape& shape : kShapes) {
    CAPTURE(to_string(shape));
    const Inputs in(shape, device);
    for (const int64_t groups : {int64_t{1}, shape[1]})
      for (const ElementwiseFunction& f : functions(device, groups)) {
        CAPTURE(f.name());
        CHECK(in.in_one(f).to_vector<double>() == in.in_two(f).to_vector<double>());
      }
  }
}

DEVICE_TEST_CASE(
    "its gradients are those of two ops, and the same bits for any number of threads") {
  for (const Shape& shape : kShapes) {
    CAPTURE(to_string(shape));
    Rng rng(3);
    const Tensor weights = rng.normal(shape, 0, 1, DType::float64).to(device);
    const auto gradients = [&](const ElementwiseFunction& f, bool in_one) {
      const Inputs in(shape, device);
      Tape tape;
      tape.backward(sum(weights * (in_one ? in.in_one(f) : in.in_two(f))));
      std::vector<Tensor> all{in.x.grad(), in.gamma.grad(), in.beta.grad()};
      for (const Tensor& parameter : f.parameters) all.push_back(parameter.grad());
      return all;
    };
    for (const ElementwiseFunction& f : functions(device)) {
      CAPTURE(f.name());
      const auto one = gradients(f, true), two = gradients(f, false);
      REQUIRE(one.size() == two.size());
      for (size_t i = 0; i < one.size(); ++i) CHECK(relative_error(one[i], two[i]) <= 1e-10);
      const int threads = num_threads();
      set_num_threads(threads == 1 ? 3 : 1);
      const auto again = gradients(f, true);
      set_num_threads(threads);
      for (size_t i = 0; i < one.size(); ++i)
        CHECK(again[i].to_vector<double>() == one[i].to_vector<double>());
    }
  }
}

DEVICE_TEST_CASE("its gradients are central differences'") {
  const Inputs in({3, 4, 5, 2}, device);
  const Tensor mean = Tensor::full({4}, 0.5, DType::float64, device);
  const Tensor variance = Tensor::full({4}, 3, DType::float64, device);
  for (const bool training : {true, false})
    for (const ElementwiseFunction& f : functions(device)) {
      if (f.name() == std::string("relu") || f.name() == std::string("leaky_relu")) continue;
      std::vector<Tensor> all{in.x.detach(), in.gamma.detach(), in.beta.detach()};
      for (const Tensor& parameter : f.parameters) all.push_back(parameter.detach());
      if (f.name() == std::string("smu")) all.pop_back();  // half of its constants learn
      const auto report = gradcheck(
          [&](const auto& at) {
            ElementwiseFunction moved = f;
            for (size_t i = 3; i < at.size(); ++i) moved.parameters[i - 3] = at[i];
            return norm_act(at[0], at[1], at[2], mean.clone(), variance.clone(),
                            {.training = training}, moved);
          },
          all);
      CHECK_MESSAGE(report.ok, f.name(), ": ", report.message);
    }
}

TEST_CASE("a tape shows one op, and saves x alone") {
  const Inputs in({64, 16, 16, 16});
  Tape tape;
  reset_peak_bytes_in_use();
  const size_t before = allocator_stats().bytes_in_use;
  const Tensor y = in.in_one(functions(Device::cpu)[1]);
  CHECK(allocator_stats().peak_bytes_in_use - before < 3 * in.x.bytes() / 2);
  std::ostringstream shown;
  shown << tape;
  CHECK(tape.size() == 1);
  CHECK(shown.str().find("batch_norm+relu(") != std::string::npos);
}

TEST_CASE("where no gradient is asked for, none is recorded") {
  const Inputs in({2, 3, 4});
  Tape tape;
  const Tensor y =
      norm_act(in.x.detach(), {}, {}, {}, {}, {}, {formula("relu"), std::vector<double>{}});
  CHECK(!y.requires_grad());
  CHECK(tape.size() == 0);
}

TEST_CASE("what does not fit is refused") {
  const Inputs in({2, 3, 4});
  const Tensor narrow = Tensor::ones({1});
  CHECK_THROWS_WITH_AS(in.in_one({formula("swish"), narrow}),
                       "swish: expected one dtype, got x float64 [2, 3, 4] and constants float32 "
                       "[1]",
                       Error);
  CHECK_THROWS_WITH_AS(in.in_one({formula("swish"), std::vector<double>{}}),
                       "swish: expected 1 constants, got 0", Error);
}
