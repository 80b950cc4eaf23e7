#include <pade/core/error.h>
#include <pade/core/ops/arithmetic.h>
#include <pade/core/ops/dropout.h>
#include <pade/core/ops/operands.h>
#include <pade/core/text_stream.h>
#include <pade/layers/dropout.h>

namespace pade {
namespace {

std::string describe(const char* type, double probability) {
  TextStream out;
  out << type << '(' << probability << ')';
  return out.str();
}

}  // namespace

Dropout::Dropout(double probability) : probability_(probability), rng_(next_stream("dropout")) {
  check(probability >= 0 && probability <= 1, "Dropout: the probability must be in [0, 1], got ",
        probability);
}

std::string Dropout::description() const { return describe("Dropout", probability_); }

Tensor Dropout::forward(const Tensor& x) { return training() ? dropout(x, probability_, rng_) : x; }

StochasticDepth::StochasticDepth(double probability)
    : probability_(probability), rng_(next_stream("stochastic_depth")) {
  check(probability >= 0 && probability < 1,
        "StochasticDepth: the probability must be in [0, 1), got ", probability);
}

std::string StochasticDepth::description() const {
  return describe("StochasticDepth", probability_);
}

Tensor StochasticDepth::forward(const Tensor& x) {
  if (!training() || probability_ == 0) return x;
  check_defined("StochasticDepth", {{"input", x}});
  check(x.rank() >= 1, "StochasticDepth: expected [N, …], got a scalar");
  Shape samples = x.shape();
  for (int axis = 1; axis < samples.rank(); ++axis) samples = samples.with(axis, 1);
  return x * dropout(Tensor::ones(samples, x.dtype(), x.device()), probability_, rng_);
}

}  // namespace pade
