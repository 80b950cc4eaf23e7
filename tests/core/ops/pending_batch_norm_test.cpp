#include <doctest/doctest.h>

#include <sstream>

#include <pade/core/gradcheck.h>
#include <pade/core/ops/arithmetic.h>
#include <pade/core/ops/batch_norm.h>
#include <pade/core/ops/formula.h>
#include <pade/core/ops/pending_batch_norm.h>
#include <pade/core/ops/rational.h>
#include <pade/core/ops/reduce.h>
#include <pade/core/ops/slice.h>
#include <pade/core/ops/unary.h>
#include <pade/core/parallel.h>
#include <pade/core/random.h>
#include <pade/core/tape.h>

#include "tests/fixtures/fixture.h"

using namespace pade;

namespace {

struct Inputs {
  Tensor x, gamma, beta;

  explicit Inputs(const Shape& shape, DType dtype = DType::float64, uint64_t seed = 1) {
    Rng rng(seed);
    x = rng.normal(shape, 1, 2, dtype).requires_grad_();
    gamma = rng.uniform({shape[1]}, 0.5, 2, dtype).requires_grad_();
    beta = rng.uniform({shape[1]}, -1, 1, dtype).requires_grad_();
  }
  Tensor normalised() const { return batch_norm(x, gamma, beta, {}, {}); }
};

/// The same numbers as `z`, which nobody waits for any more.
Tensor computed(const Tensor& z) {
  z.to_vector<double>();
  REQUIRE(z.promise() == nullptr);
  return z;
}

Tensor hp1(const Tensor& z) {
  const Tensor c = Tensor::from<double>({1.1, 1.8, 1.1, 0.3, 0.04, 0.002}, {6});
  const Tensor d = Tensor::from<double>({1.1, 0.3, 0.04, 0.002}, {4});
  return rational(z, c, d);
}

Tensor swish(const Tensor& z) {
  return apply_formula(*find_formula("swish"), z, Tensor::from<double>({1.5}, {1}));
}

const Shape kShapes[] = {{5, 3, 4, 4},   {2, 1, 30, 40}, {70, 130, 1, 1},
                         {3, 600, 2, 3}, {4, 7},         {2, 2, 90, 100}};

}  // namespace

TEST_CASE("an elementwise op of a batch_norm in one pass gives the bits of two") {
  for (const Shape& shape : kShapes) {
    CAPTURE(to_string(shape));
    const Inputs in(shape);
    for (const auto& f : {+[](const Tensor& z) { return relu(z); },
                          +[](const Tensor& z) { return tanh(z); }, +hp1, +swish}) {
      const Tensor z = in.normalised();
      REQUIRE(z.promise() != nullptr);
      const Tensor y = f(z);
      CHECK(z.promise() != nullptr);
      CHECK(y.to_vector<double>() == f(computed(z)).to_vector<double>());
    }
  }
}

TEST_CASE("its gradients are those of two passes, and the same bits for any number of threads") {
  for (const Shape& shape : kShapes) {
    CAPTURE(to_string(shape));
    Rng rng(3);
    const Tensor weights = rng.normal(shape, 0, 1, DType::float64);
    const auto gradients = [&](auto f, bool fused) {
      const Inputs in(shape);
      const Tensor c = Tensor::from<double>({0.1, 1, 0.3, 0.2}, {4}).requires_grad_();
      const Tensor d = Tensor::from<double>({0.5, 0.2}, {1, 2}).requires_grad_();
      Tape tape;
      const Tensor z = in.normalised();
      tape.backward(sum(weights * f(fused ? z : computed(z), c, d)));
      std::vector<Tensor> all{in.x.grad(), in.gamma.grad(), in.beta.grad()};
      for (const Tensor& parameter : {c, d})
        if (parameter.has_fresh_grad()) all.push_back(parameter.grad());
      return all;
    };
    for (const auto& f :
         {+[](const Tensor&z, const Tensor&, const Tensor&) { return sigmoid(z); },
          +[](const Tensor&z, const Tensor&, const Tensor&) { return leaky_relu(z, 0.1); },
          +[](const Tensor&z, const Tensor&c, const Tensor&d) {
            return rational(z, c.reshape({1, 4}), d);
          },
          +[](const Tensor&z, const Tensor&c, const Tensor&) {
            return apply_formula(*find_formula("swish"), z, slice(c, 0, 1, 2));
          }}) {
      const auto fused = gradients(f, true), separate = gradients(f, false);
      REQUIRE(fused.size() == separate.size());
      for (size_t i = 0; i < fused.size(); ++i)
        CHECK(relative_error(fused[i], separate[i]) <= 1e-10);
      const int threads = num_threads();
      set_num_threads(threads == 1 ? 3 : 1);
      const auto again = gradients(f, true);
      set_num_threads(threads);
      for (size_t i = 0; i < fused.size(); ++i)
        CHECK(again[i].to_vector<double>() == fused[i].to_vector<double>());
    }
  }
}

TEST_CASE("its gradients are central differences'") {
  const Inputs in({3, 4, 5, 2});
  for (const bool training : {true, false}) {
    const Tensor mean = Tensor::full({4}, 0.5, DType::float64);
    const Tensor variance = Tensor::full({4}, 3, DType::float64);
    const auto report = gradcheck(
        [&](const auto& x) {
          const Tensor z =
              batch_norm(x[0], x[1], x[2], mean.clone(), variance.clone(), {.training = training});
          return rational(z, x[3], x[4]) + tanh(z) + apply_formula(*find_formula("swish"), z, x[5]);
        },
        {in.x.detach(), in.gamma.detach(), in.beta.detach(),
         Tensor::from<double>({0.1, 1, 0.3, 0.2}, {4}), Tensor::from<double>({0.5, 0.2}, {2}),
         Tensor::from<double>({1.5}, {1})});
    CHECK_MESSAGE(report.ok, report.message);
  }
}

TEST_CASE("a batch_norm that was promised is what it was when it was called") {
  Inputs in({2, 3, 4});
  const std::vector<double> expected = computed(in.normalised()).to_vector<double>();
  const Tensor z = in.normalised();
  in.x.fill_(7);
  CHECK(z.promise() == nullptr);  // computed from x just before that
  CHECK(z.to_vector<double>() == expected);

  Inputs again({2, 3, 4});
  const Tensor later = again.normalised();
  again.gamma.fill_(9), again.beta.fill_(9);
  CHECK(later.to_vector<double>() == expected);

  Inputs gone({2, 3, 4});
  const Tensor kept = gone.normalised();
  gone = Inputs({1, 2, 3});
  CHECK(kept.to_vector<double>() == expected);
}

TEST_CASE("gradients take the way that the tape knows, not the one around it") {
  Rng rng(4);
  const Inputs in({2, 3, 4});
  {
    INFO("detached");
    Tape tape;
    const Tensor y = relu(in.normalised().detach());
    CHECK(!y.requires_grad());
  }
  {
    INFO("a leaf of its own");
    NoGrad no_grad;
    const Tensor z = in.normalised().requires_grad_();
    Tape tape;
    tape.backward(sum(relu(z)));
    CHECK(z.has_fresh_grad());
    CHECK(!in.x.has_fresh_grad());
    CHECK(!in.gamma.has_fresh_grad());
  }
  {
    INFO("of an outer tape: a constant for the inner one");
    Tape outer;
    const Tensor z = in.normalised();
    Tape inner;
    CHECK(!relu(z).requires_grad());
  }
  {
    INFO("nobody asks for gradients");
    Tape tape;
    const Tensor y = relu(batch_norm(in.x.detach(), {}, {}, {}, {}));
    CHECK(!y.requires_grad());
    CHECK(tape.size() == 0);
  }
}

TEST_CASE("a tape shows what was fused") {
  const Inputs in({2, 3, 4});
  Tape tape;
  const Tensor y = relu(in.normalised());
  std::ostringstream shown;
  shown << tape;
  CHECK(shown.str().find("batch_norm+relu(") != std::string::npos);
  CHECK(y.requires_grad());
}

TEST_CASE("a batch_norm that is taken up at once needs no memory") {
  const Inputs in({64, 16, 16, 16});
  const Tensor x = in.x.detach();
  reset_peak_bytes_in_use();
  const size_t before = allocator_stats().peak_bytes_in_use;
  const Tensor y = relu(batch_norm(x, {}, {}, {}, {}));
  CHECK(allocator_stats().peak_bytes_in_use - before < 3 * x.bytes() / 2);
}
