#include <algorithm>
#include <array>
#include <cmath>

#include <pade/core/did_you_mean.h>
#include <pade/core/error.h>
#include <pade/layers/init.h>

namespace pade {
namespace {

struct Entry {
  const char* name;
  double second_moment;  // assumed_second_moment()
  Init init;
};

const char* name_of(const Entry& entry) { return entry.name; }

constexpr std::array kInits = {  // in the order of the enum
    Entry{"pytorch", 3, Init::pytorch},
    Entry{"he_normal", 0.5, Init::he_normal},
    Entry{"he_normal_fan_out", 0.5, Init::he_normal_fan_out},
    Entry{"he_uniform", 0.5, Init::he_uniform},
    Entry{"glorot_normal", 1, Init::glorot_normal},
    Entry{"glorot_uniform", 1, Init::glorot_uniform},
    Entry{"lecun_normal", 1, Init::lecun_normal},
    Entry{"lecun_uniform", 1, Init::lecun_uniform},
    Entry{"dirac", 1, Init::dirac}};

/// Of a weight [out, in, kernel…]; at least 1, so that empty layers divide by nothing.
double fan_in(const Shape& shape) { return std::max<double>(1, shape.size_from(1)); }

/// Output i of each group becomes input i, at the middle of the kernel.
Tensor with_copies(Tensor weight, int64_t groups) {
  const Shape& shape = weight.shape();
  const int64_t kernel = shape.size_from(2), in = shape[1], out = shape[0] / groups;
  int64_t middle = 0;
  for (int axis = 2; axis < shape.rank(); ++axis) middle = middle * shape[axis] + shape[axis] / 2;
  float* filters = weight.mutable_data<float>();
  for (int64_t i = 0; i < groups * std::min(in, out); ++i) {
    const int64_t channel = i % std::min(in, out), output = i / std::min(in, out) * out + channel;
    float* filter = filters + output * in * kernel;
    std::fill_n(filter, in * kernel, 0.0f);
    filter[channel * kernel + middle] = 1;
  }
  return weight;
}

}  // namespace

const char* name_of(Init init) { return kInits[static_cast<size_t>(init)].name; }
Init init_named(std::string_view name) { return value_named("initialisation", name, kInits).init; }
double assumed_second_moment(Init init) { return kInits[static_cast<size_t>(init)].second_moment; }

Tensor initial_weight(Init init, const Shape& shape, Rng& rng, int64_t groups) {
  check(shape.rank() >= 2, "initial_weight: expected a shape [out, in, …], got ", shape);
  const double in = fan_in(shape);
  const double out = std::max<double>(1, shape[0] / groups * shape.size_from(2));
  const auto normal = [&](double variance) { return rng.normal(shape, 0, std::sqrt(variance)); };
  const auto uniform = [&](double bound) { return rng.uniform(shape, -bound, bound); };
  const auto draw = [&] {
    switch (init) {
      case Init::pytorch: return uniform(1 / std::sqrt(in));
      case Init::he_normal: return normal(2 / in);
      case Init::he_normal_fan_out: return normal(2 / out);
      case Init::he_uniform: return uniform(std::sqrt(6 / in));
      case Init::glorot_normal: return normal(2 / (in + out));
      case Init::glorot_uniform: return uniform(std::sqrt(6 / (in + out)));
      case Init::lecun_normal: return normal(1 / in);
      case Init::lecun_uniform: return uniform(std::sqrt(3 / in));
      case Init::dirac: return with_copies(uniform(1 / std::sqrt(in)), groups);
    }
    return Tensor();
  };
  return draw().requires_grad_();
}

Tensor initial_bias(Init init, const Shape& weight_shape, Rng& rng) {
  const Shape shape{weight_shape[0]};
  if (init != Init::pytorch && init != Init::dirac) return Tensor::zeros(shape).requires_grad_();
  const double bound = 1 / std::sqrt(fan_in(weight_shape));
  return rng.uniform(shape, -bound, bound).requires_grad_();
}

}  // namespace pade
