#include <pade/core/error.h>
#include <pade/core/ops/arithmetic.h>
#include <pade/core/text_stream.h>
#include <pade/layers/rational.h>
#include <pade/layers/study/coefficient_scale.h>

/// Noise and G(0) = 0 are in rational_variants.cpp, formula() and spec() in rational_spec.cpp.
namespace pade {
namespace {

Tensor repeated_rows(const std::vector<double>& row, int64_t rows, DType dtype) {
  const Tensor one = Tensor::from<double>(row, {1, static_cast<int64_t>(row.size())});
  return (one * Tensor::ones({rows, 1}, DType::float64)).to(dtype);
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
    return coefficients[coefficients.extent(0) == 1 ? 0 : group]
        .to(Device::cpu)
        .to(DType::float64)
        .to_vector<double>();
  };
  const Tensor c = numerator.detach();  // which a step may have left off the centre
  return {options_, row(zero_centred_ ? zero_centred(c) : c), row(denominator.detach())};
}

void Rational::set_trainable(bool trainable) {
  numerator.requires_grad_(trainable);
  denominator.requires_grad_(trainable);
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
  if (numerator.extent(0) < groups()) out << ", shared numerator";
  if (noise_ > 0) out << ", noise=" << noise_;
  out << ')';
  return out.str();
}

std::optional<ElementwiseFunction> Rational::elementwise() {
  if (groups() > 1 && channel_axis_ == -1) return std::nullopt;
  return current();
}

ElementwiseFunction Rational::current() {
  if (zero_centred_) centre_numerator();
  Tensor c = zero_centred_ ? zero_centred(numerator) : numerator, d = denominator;
  if (noise_rng_ && training()) {
    c = with_noise(c);
    if (zero_centred_) c = zero_centred(c);
    d = with_noise(d);
  }
  if (c.extent(0) < groups()) c = c + Tensor::zeros({groups(), 1}, c.dtype(), c.device());
  return ElementwiseFunction(c, d, options_);
}

Tensor Rational::forward(const Tensor& x) {
  if (groups() == 1 || x.rank() < 3) return apply(current(), x);
  check(channel_axis_ || x.rank() > 3, description(), ": the channels of ", x.shape(),
        " may be axis 1 or the last; say which: axis=1 or axis=-1 in the SPEC");
  if (channel_axis_ != -1) return apply(current(), x);
  const Tensor rows = x.reshape({-1, x.extent(-1)});
  return apply(current(), rows).reshape(x.shape());
}

}  // namespace pade
