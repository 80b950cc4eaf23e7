#include <cstdint>
#include <utility>

#include <pade/core/error.h>
#include <pade/core/numbers.h>
#include <pade/layers/study/activation_function.h>
#include <pade/layers/study/derivatives.h>
#include <pade/layers/study/rational_regions.h>

namespace pade {

ActivationFunction::ActivationFunction(RationalFunction rational)
    : rational_(std::move(rational)) {}

ActivationFunction::ActivationFunction(const Formula& formula, const std::vector<double>& constants)
    : formula_(&all_formulas().at(static_cast<size_t>(formula.index))), constants_(constants) {
  check(constants.size() == formula.constants.size(), "activation ", formula.name, ": expected ",
        formula.constants.size(), " constants, got ", constants.size());
}

std::vector<std::string> ActivationFunction::names() const {
  std::vector<std::string> names;
  if (formula_) {
    for (const Formula::Constant& constant : formula_->constants) names.emplace_back(constant.name);
    return names;
  }
  for (int i = 0; i <= rational_.numerator_degree(); ++i) names.push_back("c" + std::to_string(i));
  for (int j = first_denominator(rational_.options.form); j <= rational_.denominator_degree(); ++j)
    names.push_back("d" + std::to_string(j));
  return names;
}

std::vector<double> ActivationFunction::values() const {
  if (formula_) return constants_;
  std::vector<double> values = rational_.c;
  values.insert(values.end(), rational_.d.begin(), rational_.d.end());
  return values;
}

ActivationFunction ActivationFunction::with(const std::vector<double>& values) const {
  if (formula_) return {*formula_, values};
  const size_t numerator = rational_.c.size(), denominator = rational_.d.size();
  check(values.size() == numerator + denominator, "a rational activation: expected ",
        numerator + denominator, " coefficients, got ", values.size());
  const auto split = values.begin() + static_cast<int64_t>(numerator);
  return RationalFunction{rational_.options, {values.begin(), split}, {split, values.end()}};
}

std::string ActivationFunction::spec() const {
  std::string text;
  if (formula_) {
    text = formula_->name;
    for (size_t k = 0; k < constants_.size(); ++k)
      text += (k == 0 ? ":" : ",") + names()[k] + '=' + shortest(constants_[k]);
    return text;
  }
  text = std::string("opau:basis=") + name_of(rational_.options.basis) +
         ",form=" + name_of(rational_.options.form) + ",coefficients=";
  for (size_t i = 0; i < rational_.c.size(); ++i) text += (i ? " " : "") + shortest(rational_.c[i]);
  text += '/';
  for (size_t j = 0; j < rational_.d.size(); ++j) text += (j ? " " : "") + shortest(rational_.d[j]);
  return text;
}

Derivatives ActivationFunction::derivatives(double x) const {
  return formula_ ? derivatives_of(*formula_, x, constants_) : derivatives_of(rational_, x);
}

std::vector<double> ActivationFunction::poles(double low, double high) const {
  return formula_ ? std::vector<double>() : real_poles(rational_, low, high);
}

}  // namespace pade
