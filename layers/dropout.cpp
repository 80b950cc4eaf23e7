
#include <pade/core/error.h>
#include <pade/core/ops/dropout.h>
#include <pade/core/text_stream.h>
#include <pade/layers/dropout.h>

namespace pade {

Dropout::Dropout(double probability) : probability_(probability), rng_(next_stream("dropout")) {
  check(probability >= 0 && probability <= 1, "Dropout: the probability must be in [0, 1], got ",
        probability);
}

std::string Dropout::description() const {
  TextStream out;
  out << "Dropout(" << probability_ << ")";
  return out.str();
}

Tensor Dropout::forward(const Tensor& x) { return training() ? dropout(x, probability_, rng_) : x; }

}  // namespace pade
