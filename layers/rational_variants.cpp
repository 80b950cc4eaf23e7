#include <mutex>

#include <pade/core/error.h>
#include <pade/core/ops/arithmetic.h>
#include <pade/core/ops/reduce.h>
#include <pade/core/tape.h>
#include <pade/layers/rational.h>
#include <pade/layers/study/polynomial.h>

/// What a Rational does only where it is told to: noise on its coefficients, one numerator for all
/// groups, groups of another axis, and G(0) = 0 kept.
namespace pade {

void Rational::set_noise(double noise) {
  check(noise >= 0 && noise < 1, "Rational: the noise must be in [0, 1), got ", noise);
  noise_ = noise;
  if (noise == 0)
    noise_rng_.reset();
  else if (!noise_rng_)
    noise_rng_ = next_stream("coefficient_noise");
}

void Rational::share_numerator() {
  const bool trainable = numerator.requires_grad();
  for (Tensor* shared : {&numerator, &numerator_scale_})
    *shared = shared->detach()[0].reshape({1, shared->extent(1)}).clone();
  numerator.requires_grad_(trainable);
}

void Rational::set_channel_axis(int axis) {
  check(axis == 1 || axis == -1, "Rational: the channels are axis 1 or -1 (the last), got ", axis);
  channel_axis_ = axis;
}

void Rational::keep_zero_centred() {
  zero_centred_ = true;
  centre_numerator();
}

void Rational::centre_numerator() {
  static std::mutex mutex;  // of all of them: of several threads that evaluate, the first writes
  const std::lock_guard lock(mutex);
  if (centred_.lock() == numerator.storage() && centred_version_ == numerator.version()) return;
  const NoGrad no_grad;
  numerator.copy_(zero_centred(numerator.detach()));
  centred_ = numerator.storage();
  centred_version_ = numerator.version();
}

Tensor Rational::zero_centred(const Tensor& numerator) const {
  const auto all = evaluate_basis(options_.basis, 0);
  const int64_t count = numerator.extent(1);
  const Tensor at_zero = Tensor::from<double>({all.begin(), all.begin() + count}, {1, count})
                             .to(numerator.dtype())
                             .to(numerator.device());
  const Tensor total = sum(numerator * at_zero, {1}, true);
  const Tensor direction = numerator_scale_ * numerator_scale_ * at_zero;
  return numerator - total * direction / sum(direction * at_zero, {1}, true);
}

Tensor Rational::with_noise(const Tensor& coefficients) {
  return coefficients * noise_rng_->uniform(coefficients.shape(), 1 - noise_, 1 + noise_,
                                            coefficients.dtype(), coefficients.device());
}

}  // namespace pade
