#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

#include <pade/core/error.h>
#include <pade/layers/study/fit_problem.h>
#include <pade/layers/study/rational_fit.h>

namespace pade {
namespace {

constexpr double kFullConstant = denominator_constant(RationalForm::full_sum);

/// Central differences, one-sided at the ends.
double difference(const std::function<double(double)>& f, double x, const FitOptions& fit) {
  const double step = 1e-5 * (fit.high - fit.low);
  const double left = std::max(x - step, fit.low), right = std::min(x + step, fit.high);
  return (f(right) - f(left)) / (right - left);
}

FitPoints places(const FitTarget& target, const FitOptions& fit) {
  FitPoints points;
  if (target.value) {
    for (int i = 0; i < fit.points; ++i) {
      points.x.push_back(fit.low + (fit.high - fit.low) * i / (fit.points - 1));
      points.y.push_back(target.value(points.x.back()));
    }
  } else {
    std::vector<FitSample> sorted = target.samples;
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const FitSample& a, const FitSample& b) { return a.x < b.x; });
    for (const auto& [x, y] : sorted) {
      check(std::isfinite(x), "fit_rational: a sample is at ", x);
      points.x.push_back(x);
      points.y.push_back(y);
    }
  }
  for (size_t k = 0; k < points.x.size(); ++k)
    check(std::isfinite(points.y[k]), "fit_rational: the target is ", points.y[k], " at ",
          points.x[k]);
  return points;
}

FitPoints points_of(const FitTarget& target, const FitOptions& fit) {
  FitPoints points = places(target, fit);
  const size_t count = points.x.size();
  points.weight.assign(count, 1);
  double total = 0;
  for (size_t k = 0; k < count; ++k) {
    const double x = points.x[k];
    if (fit.weight) points.weight[k] = fit.weight(x);
    check(std::isfinite(points.weight[k]) && points.weight[k] >= 0, "fit_rational: the weight is ",
          points.weight[k], " at ", x);
    total += points.weight[k];
    if (!(fit.derivative_weight > 0)) continue;
    points.slope.push_back(target.slope ? target.slope(x) : difference(target.value, x, fit));
    check(std::isfinite(points.slope[k]), "fit_rational: the target's slope is ", points.slope[k],
          " at ", x);
  }
  check(total > 0, "fit_rational: the weight is 0 everywhere");
  for (double& w : points.weight) w *= static_cast<double>(count) / total;
  return points;
}

/// Multiplies P and the sum in Q.
void multiply(RationalFunction& g, double factor) {
  for (auto* coefficients : {&g.c, &g.d})
    for (double& value : *coefficients) value *= factor;
}

/// The best fits of the forms that full_sum contains, written as full_sum.
std::vector<RationalFunction> fits_within_full_sum(const FitProblem& problem, FitNorm norm);

RationalFunction best_fit(const FitProblem& problem, FitNorm norm) {
  DescentEnd best{{}, std::numeric_limits<double>::infinity()};
  std::vector<double> seen;
  for (const std::vector<double>& start : fit_starts(problem)) {
    DescentEnd end = descend_squares(problem, start);
    if (norm == FitNorm::max) {
      const bool again = std::any_of(seen.begin(), seen.end(), [&](double cost) {
        return std::abs(cost - end.cost) <= 1e-6 * cost;
      });
      if (again) continue;
      seen.push_back(end.cost);
      end = descend_largest(problem, end.z);
    }
    if (end.cost < best.cost) best = end;
  }
  if (problem.options().form == RationalForm::full_sum)
    for (const RationalFunction& within : fits_within_full_sum(problem, norm)) {
      const std::vector<double> z = problem.unknowns_of(within);
      const DescentEnd end =
          norm == FitNorm::max ? descend_largest(problem, z) : descend_squares(problem, z);
      if (end.cost < best.cost) best = end;
    }
  check(!best.z.empty(), "fit_rational: no start led to a finite fit");
  return problem.function(best.z);
}

std::vector<RationalFunction> fits_within_full_sum(const FitProblem& problem, FitNorm norm) {
  std::vector<RationalFunction> fits;
  for (const RationalForm form : {RationalForm::whole_sum, RationalForm::unsafe}) {
    RationalFunction g = best_fit(problem.with_form(form), norm);
    double factor = kFullConstant;
    if (form == RationalForm::unsafe) {  // Q is above 0 at the points, and is to be at least 1
      double least = 1;
      for (const BasisDerivatives& basis : problem.basis())
        least = std::min(least, RationalPoint(g, basis, 1).denominator());
      factor = 1 / least;
    }
    multiply(g, factor);
    g.d.insert(g.d.begin(), factor - kFullConstant);
    g.options.form = RationalForm::full_sum;
    fits.push_back(std::move(g));
  }
  return fits;
}

/// Where the sum of a full_sum has one sign at all points, P and Q times any factor that leaves the
/// sum its sign are the same function. This is the one whose least Q there is 1, as in other forms:
/// with less, learning may soon meet the kink.
RationalFunction away_from_kink(RationalFunction g, const std::vector<BasisDerivatives>& points) {
  if (g.options.form != RationalForm::full_sum) return g;
  const bool is_flipped = RationalPoint(g, points[0], 1).is_flipped();
  double least = std::numeric_limits<double>::infinity();
  for (const BasisDerivatives& basis : points) {
    const RationalPoint at(g, basis, 1);
    if (at.is_flipped() != is_flipped) return g;
    least = std::min(least, at.denominator());
  }
  const double factor = 1 / least;
  multiply(g, factor);
  g.d[0] += (is_flipped ? -kFullConstant : kFullConstant) * (factor - 1);
  return g;
}

int count_extrema(const std::vector<double>& error, double largest) {
  int count = 0;
  for (size_t k = 0; k < error.size(); ++k) {
    const double here = error[k], side = here < 0 ? -1 : 1;
    const bool over_left = k == 0 || side * here > side * error[k - 1];
    const bool over_right = k + 1 == error.size() || side * here >= side * error[k + 1];
    if (over_left && over_right && std::abs(here) >= 0.99 * largest && largest > 0) ++count;
  }
  return count;
}

FitResult measure(const RationalFunction& g, const FitPoints& points, double beyond) {
  FitResult result{g};
  std::vector<double> error;
  double total = 0;
  for (size_t k = 0; k < points.x.size(); ++k) {
    error.push_back(g(points.x[k]) - points.y[k]);
    total += points.weight[k] * error[k] * error[k];
    if (k > 0 && !(std::abs(error[k]) > result.max_error)) continue;
    result.max_error = std::abs(error[k]);
    result.max_error_at = points.x[k];
  }
  result.rms = std::sqrt(total / static_cast<double>(error.size()));
  result.extrema = count_extrema(error, result.max_error);
  const double low = points.x.front(), high = points.x.back();
  result.below = g(low - beyond);
  result.above = g(high + beyond);
  for (int i = 0; i <= 4000; ++i)
    result.max_slope = std::max(result.max_slope, std::abs(g.slope(low + (high - low) * i / 4000)));
  return result;
}

void check_options(const FitTarget& target, int m, int n, int coefficients, const FitOptions& fit) {
  check(m >= 0 && n >= 0 && m <= kMaxDegree && n <= kMaxDegree, "fit_rational: degrees ", m, "/", n,
        " are outside 0/0 to ", kMaxDegree, "/", kMaxDegree);
  if (target.value) {
    check(std::isfinite(fit.low) && std::isfinite(fit.high) && fit.low < fit.high,
          "fit_rational: the interval [", fit.low, ", ", fit.high, "] is empty");
    check(fit.points > coefficients, "fit_rational: ", fit.points, " points for ", coefficients,
          " coefficients");
  } else {
    check(target.samples.size() > static_cast<size_t>(coefficients),
          "fit_rational: ", target.samples.size(), " samples for ", coefficients, " coefficients");
    check(!(fit.derivative_weight > 0),
          "fit_rational: samples have no slope to match; leave derivative_weight at 0");
  }
  for (const auto& [name, value] :
       {std::pair{"derivative_weight", fit.derivative_weight},
        std::pair{"leading_floor", fit.leading_floor}, std::pair{"beyond", fit.beyond}})
    check(std::isfinite(value) && value >= 0, "fit_rational: ", name,
          " is at least 0 and finite, got ", value);
  check(fit.norm == FitNorm::l2 || (!fit.weight && fit.derivative_weight == 0),
        "fit_rational: the largest error has no weights; leave weight and derivative_weight out");
}

}  // namespace

std::function<double(double)> normal_density(double sigma, double mean) {
  check(sigma > 0 && std::isfinite(sigma), "normal_density: sigma is above 0 and finite, got ",
        sigma);
  return [sigma, mean](double x) {
    const double u = (x - mean) / sigma;
    return std::exp(-u * u / 2) / (sigma * std::sqrt(2 * std::numbers::pi));
  };
}

FitResult fit_rational(const FitTarget& target, RationalOptions options, int m, int n,
                       const FitOptions& fit) {
  const int coefficients = m + 2 + n - first_denominator(options.form);
  check_options(target, m, n, coefficients, fit);
  FitPoints points = points_of(target, fit);
  int distinct = 0;
  for (size_t k = 0; k < points.x.size(); ++k) distinct += k == 0 || points.x[k] > points.x[k - 1];
  check(distinct > coefficients, "fit_rational: ", distinct, " different points for ", coefficients,
        " coefficients");
  const FitProblem problem(std::move(points), options, m, n, fit.derivative_weight,
                           fit.leading_floor);
  const RationalFunction best = away_from_kink(best_fit(problem, fit.norm), problem.basis());
  return measure(best, problem.points(), fit.beyond);
}

// The digits are what fit_rational() gives; the tests fit again and compare.

const RationalPreset& hp1_preset() {
  static const RationalPreset preset{
      "hp1",
      {{Basis::hermite_he, RationalForm::termwise},
       {1.13087026, 1.78755706, 1.09498094, 0.326910915, 0.0423014616, 0.00205891032},
       {1.07541206, 0.306586174, 0.0412111199, 0.00221276331}},
      {-10, 10}};
  return preset;
}

const RationalPreset& hp2_preset() {
  static const RationalPreset preset{
      "hp2",
      {{Basis::hermite_h, RationalForm::termwise},
       {2.92107621, 3.47525167, 1.66374458, 0.419328136, 0.0494784474, 0.00233234464},
       {3.83356133, 0.730237419, 0.0841069964, 0.00618070572}},
      {-5, 5}};
  return preset;
}

const RationalPreset& pau_preset() {
  static const RationalPreset preset{
      "pau",
      {{Basis::monomial, RationalForm::termwise},
       {0.0297659244, 0.618574311, 2.32093983, 3.04302414, 1.47792785, 0.249197369},
       {1.14161766, 4.37961228, 0.86732956, 0.344638058}},
      {-3, 3}};
  return preset;
}

RationalFunction hermite_polynomial(int degree) {
  check(degree >= 1 && degree <= kMaxDegree, "hermite: expected a degree from 1 to ", kMaxDegree,
        ", got ", degree);
  RationalFunction polynomial{{Basis::hermite_he, RationalForm::termwise}, {}, {}};
  std::vector<double>& c = polynomial.c;
  c = {std::numbers::inv_sqrtpi / std::numbers::sqrt2, 0.5};
  for (int k = 0; k + 2 <= degree; ++k) c.push_back(c[k] * (1 - k) / ((k + 1) * (k + 2)));
  return polynomial;
}

}  // namespace pade
