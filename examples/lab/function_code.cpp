#include "lab/function_code.h"

#include <algorithm>
#include <cmath>
#include <string>

#include <pade/core/kernels/math/formula.h>
#include <pade/core/kernels/math/rational.h>

namespace pade::lab {
namespace {

using Dual = formulas::Dual<Expression, 1>;

/// With the slope 0.
Dual constant(const Expression& value) {
  Dual dual;
  dual.value = value;
  return dual;
}

/// |a|, with the slope +1 at 0.
Dual absolute(const Dual& a) {
  return Dual::of(magnitude(a.value), [&](int k) {
    return choose(a.value < Expression(0.0), -a.slopes[k], a.slopes[k]);
  });
}

/// Both kept in variables, the slope in d + name.
Dual called(const Dual& a, const std::string& name) {
  return Dual::of(a.value.called(name), [&](int k) {
    return a.slopes[k].node().operands.empty() ? a.slopes[k] : a.slopes[k].called("d" + name);
  });
}

std::string numbered(const char* name, int k) { return name + std::to_string(k); }

/// `factor` times s to an integer power, with t = 1/s; overflows only where the result does.
Expression times_power(Expression factor, const Expression& s, const Expression& t, int exponent) {
  for (int k = 0; k < std::abs(exponent); ++k) factor = factor * (exponent > 0 ? s : t);
  return factor;
}

}  // namespace

MonicRational::MonicRational(const std::vector<ActivationFunction>& groups)
    : options_(groups.front().rational()->options), monic_(monic_recurrence_of(options_.basis)) {
  const int first = first_denominator(options_.form);
  const auto degree = [](const std::vector<double>& of) {
    return static_cast<int>(
               std::find_if(of.rbegin(), of.rend(), [](double v) { return v != 0; }).base() -
               of.begin()) -
           1;
  };
  for (const ActivationFunction& group : groups) {
    m_ = std::max(m_, degree(group.rational()->c));
    n_ = std::max(n_, degree(group.rational()->d) + first);
  }
  for (const ActivationFunction& group : groups) {
    std::vector<double> row;
    for (int i = 0; i <= m_; ++i) row.push_back(group.rational()->c[i] * monic_.scale[i]);
    for (int j = first; j <= n_; ++j) {
      const double d = group.rational()->d[j - first] * monic_.scale[j];
      row.push_back(options_.form == RationalForm::termwise ? std::abs(d) : d);
    }
    coefficients_.push_back(row);
  }
}

MonicRational::Coefficients MonicRational::named(const std::string& array) const {
  const auto at = [&](int k) {
    return array.empty() ? Expression(coefficients_.front()[k])
                         : Expression::variable(array + '[' + std::to_string(k) + ']');
  };
  Coefficients all;
  for (int i = 0; i <= m_; ++i) all.c.push_back(at(i));
  const int first = first_denominator(options_.form);
  if (first == 1) all.d.emplace_back(0.0);
  for (int j = first; j <= n_; ++j) all.d.push_back(at(m_ + 1 + j - first));
  return all;
}

double MonicRational::limit(bool is_float) const {
  const int top = std::max(m_, n_);
  return is_float ? rational_math::polynomials_of<float>(monic_, top).limit
                  : rational_math::polynomials_of<double>(monic_, top).limit;
}

FunctionCode MonicRational::near(const std::string& array) const {
  const Coefficients of = named(array);
  const Dual x(Expression::variable("x"), 0);
  std::vector<Dual> e{Dual(1)};
  for (int k = 0; k < std::max(m_, n_); ++k) {
    Dual next = (Dual(monic_.sign) * x + Dual(monic_.shift[k])) * e[k];
    if (k > 0) next = next - Dual(monic_.drop[k]) * e[k - 1];
    e.push_back(next.value.node().operands.empty() ? next : called(next, numbered("e", k + 1)));
  }
  const bool is_termwise = options_.form == RationalForm::termwise;
  Dual p(0), q(0);
  for (int i = 0; i <= m_; ++i) p = p + constant(of.c[i]) * e[i];
  for (int j = 0; j <= n_; ++j)
    q = q + constant(of.d[j]) * (is_termwise && j > 0 ? absolute(e[j]) : e[j]);
  if (takes_magnitude_of_sum(options_.form)) q = absolute(called(q, "sum"));
  q = Dual(denominator_constant(options_.form)) + q;
  const Dual g = called(p, "p") / called(q, "q");
  return {g.value, g.slopes[0]};
}

FunctionCode MonicRational::far(const std::string& array) const {
  const Coefficients of = named(array);
  const Expression x = Expression::variable("x"), zero, one(1.0);
  const Expression s = magnitude(x).called("s"), t = (one / s).called("t");
  const Expression u = choose(x < zero, -one, one).called("u");
  std::vector<Expression> g{one}, h{zero};  // e_k / sᵏ and e_k′ / sᵏ⁻¹
  const Expression sign(monic_.sign);
  for (int k = 0; k < std::max(m_, n_); ++k) {
    const Expression factor = sign * u + Expression(monic_.shift[k]) * t,
                     drop = Expression(monic_.drop[k]) * t * t;
    Expression next = factor * g[k], slope = sign * g[k] + factor * h[k];
    if (k > 0) {
      next = next - drop * g[k - 1];
      slope = slope - drop * h[k - 1];
    }
    g.push_back(next.called(numbered("g", k + 1)));
    h.push_back(slope.node().operands.empty() ? slope : slope.called(numbered("h", k + 1)));
  }
  Expression p, dp, sum, dsum, constant(denominator_constant(options_.form));
  for (int i = 0; i <= m_; ++i) {
    p = p * t + of.c[i] * g[i];
    dp = dp * t + of.c[i] * h[i];
  }
  const bool is_termwise = options_.form == RationalForm::termwise;
  for (int j = 0; j <= n_; ++j) {
    const bool flips = is_termwise && j > 0;
    sum = sum * t + of.d[j] * (flips ? magnitude(g[j]) : g[j]);
    dsum = dsum * t + of.d[j] * (flips ? choose(g[j] < zero, -h[j], h[j]) : h[j]);
  }
  for (int j = 0; j < n_; ++j) constant = constant * t;
  Expression q = sum, dq = dsum;
  if (takes_magnitude_of_sum(options_.form)) {
    sum = sum.called("sum");
    q = magnitude(sum);
    dq = choose(sum < zero, -dsum, dsum);
  }
  q = (constant + q).called("q");
  const Expression ratio = (p / q).called("ratio");
  return {times_power(ratio, s, t, m_ - n_), times_power((dp - ratio * dq) / q, s, t, m_ - n_ - 1)};
}

FunctionCode code_of(const Formula& formula, const std::vector<double>& constants, bool is_float) {
  FunctionCode code;
  const Expression x = Expression::variable("x");
  formulas::with_formula(formula.index, [&]<class F>(F) {
    std::vector<double> values = constants;
    values.resize(formulas::kPlaces<F>);
    Expression c[formulas::kPlaces<F>];
    formulas::load_constants<F>(values.data(), c);
    code.value = F::value(x, c);
    code.slope =
        is_float ? formulas::slope_at<F>(x, std::vector<float>(values.begin(), values.end()).data())
                 : formulas::slope_at<F>(x, values.data());
  });
  return code;
}

FormulaGradients gradients_of(const Formula& formula, const std::string& array) {
  FormulaGradients result;
  formulas::with_formula(formula.index, [&]<class F>(F) {
    constexpr int kCount = formulas::kVariables<F>;
    using D = formulas::Dual<Expression, kCount>;
    Expression c[formulas::kPlaces<F>];
    D of_c[formulas::kPlaces<F>];
    for (int k = 0; k + 1 < kCount; ++k) {
      c[k] = Expression::variable(array + '[' + std::to_string(k) + ']');
      of_c[k] = D(c[k], k + 1);
    }
    const Expression x = Expression::variable("x");
    result.value = F::value(x, c);
    const D y = F::value(D(x, 0), of_c);
    result.slopes.assign(y.slopes, y.slopes + kCount);
  });
  return result;
}

}  // namespace pade::lab
