#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <pade/layers/study/fit_problem.h>
#include <pade/layers/study/least_squares.h>

namespace pade {

FitProblem::FitProblem(FitPoints points, RationalOptions options, int m, int n,
                       double derivative_weight, double leading_floor)
    : points_(std::move(points)),
      options_(options),
      m_(m),
      n_(n),
      derivative_weight_(derivative_weight),
      floor_(n > 0 ? leading_floor : 0) {
  for (double x : points_.x) basis_.push_back(differentiate_basis(options.basis, x));
  const double radius = std::max(std::abs(points_.x.front()), std::abs(points_.x.back()));
  const MonicRecurrence monic = monic_recurrence_of(options.basis);
  for (int j = 0; j <= kMaxDegree; ++j) reach_[j] = monic.scale[j] * std::pow(radius, j);
  lower_.assign(unknowns(), -std::numeric_limits<double>::infinity());
  if (options.form == RationalForm::termwise) std::fill(lower_.begin() + m + 1, lower_.end(), 0);
  if (floor_ > 0) lower_.back() = 0;
}

FitProblem FitProblem::with_form(RationalForm form) const {
  return {points_, {options_.basis, form}, m_, n_, derivative_weight_, floor_};
}

double FitProblem::floor_of(const std::vector<double>& d) const {
  if (!(floor_ > 0)) return 0;
  double sum = denominator_constant(options_.form);
  for (int j = first(); j < n_; ++j) sum += std::abs(d[j - first()]) * reach_[j];
  return floor_ * sum / reach_[n_];
}

RationalFunction FitProblem::function(const std::vector<double>& z) const {
  RationalFunction g{options_, {z.begin(), z.begin() + m_ + 1}, {z.begin() + m_ + 1, z.end()}};
  if (n_ > 0) g.d.back() += floor_of(g.d);
  return g;
}

std::vector<double> FitProblem::unknowns_of(const RationalFunction& g) const {
  std::vector<double> z = g.c;
  z.insert(z.end(), g.d.begin(), g.d.end());
  if (n_ > 0) z.back() -= floor_of(g.d);
  clamp(z);
  return z;
}

std::vector<double> FitProblem::residuals(const std::vector<double>& z) const {
  const RationalFunction g = function(z);
  const size_t count = points_.x.size();
  std::vector<double> result(rows(), std::numeric_limits<double>::infinity());
  for (size_t k = 0; k < count; ++k) {
    const RationalPoint at(g, basis_[k], orders());
    if (!(at.denominator() > 0)) continue;
    const double root = std::sqrt(points_.weight[k]);
    result[k] = root * (at.value() - points_.y[k]);
    if (derivative_weight_ > 0)
      result[count + k] = root * std::sqrt(derivative_weight_) * (at.slope() - points_.slope[k]);
  }
  return result;
}

std::vector<double> FitProblem::jacobian(const std::vector<double>& z) const {
  const RationalFunction g = function(z);
  const size_t count = points_.x.size(), stride = rows();
  std::vector<double> columns(unknowns() * stride);
  for (size_t k = 0; k < count; ++k) {
    const RationalPoint at(g, basis_[k], orders());
    const double root = std::sqrt(points_.weight[k]);
    const double of_slope = root * std::sqrt(derivative_weight_);
    for (int i = 0; i < unknowns(); ++i) {
      columns[i * stride + k] = root * at.value_by(i);
      if (derivative_weight_ > 0) columns[i * stride + count + k] = of_slope * at.slope_by(i);
    }
  }
  if (floor_ > 0)
    for (int j = first(); j < n_; ++j) {
      const double share = floor_ * reach_[j] / reach_[n_] * (g.d[j - first()] < 0 ? -1 : 1);
      double* column = &columns[(m_ + 1 + j - first()) * stride];
      const double* last = &columns[(unknowns() - 1) * stride];
      for (size_t k = 0; k < stride; ++k) column[k] += share * last[k];
    }
  return columns;
}

std::vector<double> FitProblem::with_denominator(std::vector<double> d) const {
  std::vector<double> z = unknowns_of({options_, std::vector<double>(m_ + 1, 0), std::move(d)});
  // With P = 0 the residuals are minus the target's, and P's columns do not depend on P.
  std::vector<double> a = jacobian(z), b = residuals(z);
  a.resize((m_ + 1) * rows());
  for (double& value : b) value = -value;
  const std::vector<double> c = least_squares(std::move(a), std::move(b), m_ + 1);
  std::copy(c.begin(), c.end(), z.begin());
  return z;
}

}  // namespace pade
