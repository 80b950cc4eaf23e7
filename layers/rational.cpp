#include <algorithm>
#include <iomanip>
#include <mutex>

#include <pade/core/error.h>
#include <pade/core/ops/arithmetic.h>
#include <pade/core/ops/reduce.h>
#include <pade/core/tape.h>
#include <pade/core/text_stream.h>
#include <pade/layers/rational.h>
#include <pade/layers/study/coefficient_scale.h>
#include <pade/layers/study/polynomial.h>

namespace pade {
namespace {

Tensor repeated_rows(const std::vector<double>& row, int64_t rows, DType dtype) {
  Tensor tensor = Tensor::empty({rows, static_cast<int64_t>(row.size())}, DType::float64);
  double* out = tensor.mutable_data<double>();
  for (int64_t r = 0; r < rows; ++r) out = std::copy(row.begin(), row.end(), out);
  return tensor.to(dtype);
}

}  // namespace

Rational::Rational(const RationalFunction& start, int64_t groups, DType dtype)
    : options_(start.options) {
  check(groups >= 1, "Rational: expected at least 1 group, got ", groups);
  start.check_degrees("Rational");
  numerator = repeated_rows(start.c, groups, dtype).requires_grad_();
  denominator = repeated_rows(start.d, groups, dtype).requires_grad_();
  const std::vector<double> scales = step_scales(start);
  const auto split = scales.begin() + numerator.extent(1);
  numerator_scale_ = repeated_rows({scales.begin(), split}, groups, dtype);
  denominator_scale_ = repeated_rows({split, scales.end()}, groups, dtype);
}

Rational Rational::hp1(int64_t groups) { return Rational(hp1_preset().start, groups); }
Rational Rational::hp2(int64_t groups) { return Rational(hp2_preset().start, groups); }
Rational Rational::pau(int64_t groups) { return Rational(pau_preset().start, groups); }

RationalFunction Rational::function(int64_t group) const {
  const auto row = [group](const Tensor& coefficients) {
    return coefficients[group].to(Device::cpu).to(DType::float64).to_vector<double>();
  };
  const Tensor c = numerator.detach();  // which a step may have left off the centre
  return {options_, row(zero_centred_ ? zero_centred(c) : c), row(denominator.detach())};
}

void Rational::set_trainable(bool trainable) {
  numerator.requires_grad_(trainable);
  denominator.requires_grad_(trainable);
}

void Rational::set_noise(double noise) {
  check(noise >= 0 && noise < 1, "Rational: the noise must be in [0, 1), got ", noise);
  noise_ = noise;
  if (noise == 0)
    noise_rng_.reset();
  else if (!noise_rng_)
    noise_rng_ = next_stream("coefficient_noise");
}

void Rational::visit(ModuleVisitor& visitor) {
  visitor.parameter("numerator", numerator, ParameterRole::activation, &numerator_scale_);
  visitor.parameter("denominator", denominator, ParameterRole::activation, &denominator_scale_);
  if (noise_rng_) visitor.generator("noise", *noise_rng_);
}

std::string Rational::description() const {
  TextStream out;
  out << "Rational(" << name_of(options_.basis) << ", " << name_of(options_.form) << ", "
      << numerator_degree() << '/' << denominator_degree();
  if (groups() > 1) out << ", groups=" << groups();
  if (noise_ > 0) out << ", noise=" << noise_;
  out << ')';
  return out.str();
}

std::string Rational::formula() const {
  const RationalForm form = options_.form;
  const char* const bar = takes_magnitude_of_sum(form) ? "|" : "";
  TextStream out;
  out << "sum_0^" << numerator_degree() << " c_i f_i / (" << denominator_constant(form) << " + "
      << bar << "sum_" << first_denominator(form) << '^' << denominator_degree()
      << (form == RationalForm::termwise ? " |d_j| |f_j|" : " d_j f_j") << bar
      << "), f = " << name_of(options_.basis);
  return out.str();
}

std::string Rational::spec() const {
  TextStream out;
  out << "opau:basis=" << name_of(options_.basis) << ",form=" << name_of(options_.form)
      << ",degrees=" << numerator_degree() << '/' << denominator_degree();
  if (groups() > 1) out << ",groups=" << groups();
  if (zero_centred_) out << ",zero_centred=true";
  if (noise_ > 0) out << std::setprecision(15) << ",noise=" << noise_;
  if (!numerator.requires_grad()) out << ",trainable=false";
  return out.str();
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

std::optional<ElementwiseFunction> Rational::elementwise() {
  if (zero_centred_) centre_numerator();
  Tensor c = zero_centred_ ? zero_centred(numerator) : numerator, d = denominator;
  if (noise_rng_ && training()) {
    c = with_noise(c);
    if (zero_centred_) c = zero_centred(c);
    d = with_noise(d);
  }
  return ElementwiseFunction(c, d, options_);
}

Tensor Rational::forward(const Tensor& x) { return apply(*elementwise(), x); }

}  // namespace pade
