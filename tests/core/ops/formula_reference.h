#pragma once

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include <pade/core/ops/elementwise.h>

#include "tests/core/ops/edges.h"

namespace pade::reference {

inline Real softplus_of(Real x) {
  return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
}

/// The formulas once more, in another precision and as their papers have them.
inline const std::map<std::string, Real (*)(Real x, const Real* c)> kFormulas = {
    {"identity", [](Real x, const Real*) { return x; }},
    {"relu", [](Real x, const Real*) { return std::fmax(x, 0.0L); }},
    {"leaky_relu", [](Real x, const Real* c) { return x > 0 ? x : c[0] * x; }},
    {"prelu", [](Real x, const Real* c) { return x > 0 ? x : c[0] * x; }},
    {"tanh", [](Real x, const Real*) { return std::tanh(x); }},
    {"sigmoid", [](Real x, const Real*) { return 1 / (1 + std::exp(-x)); }},
    {"elu", [](Real x, const Real* c) { return x > 0 ? x : c[0] * std::expm1(x); }},
    {"softplus", [](Real x, const Real*) { return softplus_of(x); }},
    {"swish", [](Real x, const Real* c) { return x / (1 + std::exp(-c[0] * x)); }},
    {"hard_swish",
     [](Real x, const Real*) { return x * std::fmin(std::fmax(x + 3, 0.0L), 6.0L) / 6; }},
    {"gelu", [](Real x, const Real*) { return x * std::erfc(-x / std::sqrt(2.0L)) / 2; }},
    {"gelu_tanh",
     [](Real x, const Real*) {
       const Real pi = std::acos(-1.0L);
       return x * (1 + std::tanh(std::sqrt(2 / pi) * (x + 0.044715L * x * x * x))) / 2;
     }},
    {"mish", [](Real x, const Real*) { return x * std::tanh(softplus_of(x)); }},
    {"tanhsoft1", [](Real x, const Real* c) { return std::tanh(c[0] * x) * softplus_of(x); }},
    {"tanhsoft2", [](Real x, const Real* c) { return x * std::tanh(c[0] * std::exp(c[1] * x)); }},
    {"tanhsoft3",
     [](Real x, const Real* c) {
       const Real t = std::tanh(c[0] * x);
       return x > 1000 ? x + std::log(t) : std::log1p(std::exp(x) * t);  // nothing beside e^1000
     }},
    {"eis1",
     [](Real x, const Real* c) { return x * softplus_of(x) / (x + c[0] * std::exp(-c[1] * x)); }},
    {"eis2",
     [](Real x, const Real* c) { return x * softplus_of(x) / std::sqrt(c[0] + c[1] * x * x); }},
    {"eis3", [](Real x, const Real* c) { return x / (1 + c[0] * std::exp(-c[1] * x)); }},
    {"smu",
     [](Real x, const Real* c) {
       return ((1 + c[0]) * x + (1 - c[0]) * x * std::erf(c[1] * (1 - c[0]) * x)) / 2;
     }},
    {"erfact", [](Real x, const Real* c) { return x * std::erf(c[0] * std::exp(c[1] * x)); }},
    {"pserf", [](Real x, const Real* c) { return x * std::erf(c[0] * softplus_of(c[1] * x)); }},
    {"era",
     [](Real x, const Real* c) {
       const auto square = [](Real v) { return v * v; };
       return c[0] * x + c[1] + (c[2] * x + c[3]) / (square(x - c[4]) + square(c[5])) +
              (c[6] * x + c[7]) / (square(x - c[8]) + square(c[9]));
     }},
};

/// Near the starts, and different from them: zeros and ones would hide terms.
inline std::vector<double> other_constants(const Formula& formula) {
  std::vector<double> constants = formula.starts();
  for (size_t k = 0; k < constants.size(); ++k)
    constants[k] = constants[k] * 1.1 + 0.1 * static_cast<double>(k + 1);
  return constants;
}

}  // namespace pade::reference
