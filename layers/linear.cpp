#include <pade/core/error.h>
#include <pade/core/ops/linear.h>
#include <pade/core/text_stream.h>
#include <pade/layers/linear.h>

namespace pade {

Linear::Linear(int64_t in, int64_t out, LinearOptions options) {
  check(in >= 1 && out >= 1, "Linear: expected at least 1 feature, got ", in, " in and ", out,
        " out");
  Rng rng = next_stream("init");
  weight = initial_weight(options.init, {out, in}, rng);
  if (options.bias) bias = initial_bias(options.init, weight.shape(), rng);
}

void Linear::visit(ModuleVisitor& visitor) {
  visitor.parameter("weight", weight);
  visitor.parameter("bias", bias);
}

std::string Linear::description() const {
  TextStream out;
  out << "Linear(" << weight.extent(1) << ", " << weight.extent(0)
      << (bias.defined() ? ")" : ", no bias)");
  return out.str();
}

Tensor Linear::forward(const Tensor& x) { return linear(x, weight, bias); }

}  // namespace pade
