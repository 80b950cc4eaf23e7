#include <pade/core/error.h>
#include <pade/core/ops/arithmetic.h>
#include <pade/core/ops/dropout.h>
#include <pade/core/ops/operands.h>
#include <pade/core/text_stream.h>
#include <pade/layers/dropout.h>

namespace pade {

Dropout::Dropout(const char* type, const char* stream, double probability)
    : type_(type), probability_(probability), rng_(next_stream(stream)) {
  check(probability >= 0 && probability <= 1, type, ": the probability must be in [0, 1], got ",
        probability);
}

std::string Dropout::description() const {
  TextStream out;
  out << type_ << '(' << probability_ << ')';
  return out.str();
}

Tensor Dropout::forward(const Tensor& x) { return training() ? dropout(x, probability_, rng_) : x; }

Tensor StochasticDepth::forward(const Tensor& x) {
  if (!training() || probability_ == 0) return x;
  check_defined("StochasticDepth", {{"input", x}});
  check(x.rank() >= 1, "StochasticDepth: expected [N, …], got a scalar");
  Shape samples = x.shape();
  for (int axis = 1; axis < samples.rank(); ++axis) samples = samples.with(axis, 1);
  return x * dropout(Tensor::ones(samples, x.dtype(), x.device()), probability_, rng_);
}

}  // namespace pade
