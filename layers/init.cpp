#include <algorithm>
#include <array>
#include <cmath>

#include <pade/core/did_you_mean.h>
#include <pade/core/error.h>
#include <pade/layers/init.h>

namespace pade {
namespace {

constexpr std::array kAllInits = {Init::pytorch,      Init::he_normal,     Init::he_normal_fan_out,
                                  Init::he_uniform,   Init::glorot_normal, Init::glorot_uniform,
                                  Init::lecun_normal, Init::lecun_uniform};

/// Of a weight [out, in, kernel…]; at least 1, so that empty layers divide by nothing.
double fan_in(const Shape& shape) { return std::max<double>(1, shape.size_from(1)); }
double fan_out(const Shape& shape, int64_t groups) {
  return std::max<double>(1, shape[0] / groups * shape.size_from(2));
}

Tensor uniform_within(double bound, const Shape& shape, Rng& rng) {
  return rng.uniform(shape, -bound, bound);
}

}  // namespace

const char* name_of(Init init) {
  switch (init) {
    case Init::pytorch: return "pytorch";
    case Init::he_normal: return "he_normal";
    case Init::he_normal_fan_out: return "he_normal_fan_out";
    case Init::he_uniform: return "he_uniform";
    case Init::glorot_normal: return "glorot_normal";
    case Init::glorot_uniform: return "glorot_uniform";
    case Init::lecun_normal: return "lecun_normal";
    case Init::lecun_uniform: return "lecun_uniform";
  }
  return "unknown";
}

Init init_named(std::string_view name) { return value_named("initialisation", name, kAllInits); }

double assumed_second_moment(Init init) {
  switch (init) {
    case Init::pytorch: return 3;
    case Init::he_normal:
    case Init::he_normal_fan_out:
    case Init::he_uniform: return 0.5;
    case Init::glorot_normal:
    case Init::glorot_uniform:
    case Init::lecun_normal:
    case Init::lecun_uniform: return 1;
  }
  return 1;
}

Tensor initial_weight(Init init, const Shape& shape, Rng& rng, int64_t groups) {
  check(shape.rank() >= 2, "initial_weight: expected a shape [out, in, …], got ", shape);
  const double in = fan_in(shape), out = fan_out(shape, groups), both = in + out;
  auto draw = [&] {
    switch (init) {
      case Init::pytorch: return uniform_within(1 / std::sqrt(in), shape, rng);
      case Init::he_normal: return rng.normal(shape, 0, std::sqrt(2 / in));
      case Init::he_normal_fan_out: return rng.normal(shape, 0, std::sqrt(2 / out));
      case Init::he_uniform: return uniform_within(std::sqrt(6 / in), shape, rng);
      case Init::glorot_normal: return rng.normal(shape, 0, std::sqrt(2 / both));
      case Init::glorot_uniform: return uniform_within(std::sqrt(6 / both), shape, rng);
      case Init::lecun_normal: return rng.normal(shape, 0, std::sqrt(1 / in));
      case Init::lecun_uniform: return uniform_within(std::sqrt(3 / in), shape, rng);
    }
    return Tensor();
  };
  return draw().requires_grad_();
}

Tensor initial_bias(Init init, const Shape& weight_shape, Rng& rng) {
  const Shape shape{weight_shape[0]};
  if (init != Init::pytorch) return Tensor::zeros(shape).requires_grad_();
  return uniform_within(1 / std::sqrt(fan_in(weight_shape)), shape, rng).requires_grad_();
}

}  // namespace pade
