#include "lab/formula_search.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <utility>

#include <pade/core/error.h>
#include <pade/core/ops/elementwise.h>
#include <pade/layers/study/descent.h>

namespace pade::lab {
namespace {

constexpr int kStarts = 3;  // points of the grid from which the descent goes on

/// The best a and d, as far as they are free, for given values of f.
Candidate linear_fit(const SearchProblem& problem, const ScaledFormula& start, unsigned free,
                     const double* f) {
  double f1 = 0, f2 = 0, y1 = 0, fy = 0;
  const bool shifted = (free & kD) != 0;
  for (size_t i = 0; i < problem.x.size(); ++i)
    f1 += problem.weight[i] * f[i], y1 += problem.weight[i] * problem.y[i];
  for (size_t i = 0; i < problem.x.size(); ++i) {
    const double from = f[i] - (shifted ? f1 : 0);
    f2 += problem.weight[i] * from * from;
    fy += problem.weight[i] * from * (problem.y[i] - (shifted ? y1 : 0));
  }
  Candidate candidate{start};
  if (free & kA) {
    const bool related = std::abs(fy) > kRounding * std::sqrt(f2) * problem.size;
    candidate.function.a = related ? fy / f2 : 0;
  }
  if (free & kD) candidate.function.d = y1 - candidate.function.a * f1;
  candidate.cost = problem.cost(f, candidate.function.a, candidate.function.d);
  return candidate;
}

/// One formula against the problem. What a descent changes is its free parameters.
class FormulaSearch : public ResidualProblem {
 public:
  FormulaSearch(const SearchProblem& problem, const Formula& formula, unsigned free)
      : problem_(problem), formula_(formula), free_(free), constants_(formula.starts()) {
    lower_.assign(size_of(free), -std::numeric_limits<double>::infinity());
  }

  Candidate best() const {
    Candidate best;
    for (const Candidate& start : grid()) {
      const Candidate end = free_ & (kB | kC) ? descend(start) : start;
      if (end.cost < best.cost) best = end;
    }
    return best;
  }

  std::vector<double> residuals(const std::vector<double>& z) const override {
    const ScaledFormula at = with(z);
    const double steepest = std::max(1.0, 32 / problem_.scale);
    const double flattest = std::min(1.0, 1 / (16 * problem_.scale));
    if (!(std::abs(at.b) <= steepest && std::abs(at.b) >= flattest))
      return {std::numeric_limits<double>::infinity()};
    const std::vector<double> f = values_at({at});
    std::vector<double> residuals(rows(), 0);
    for (size_t i = 0; i < f.size(); ++i)
      residuals[i] = std::sqrt(problem_.weight[i]) * (at.a * f[i] + at.d - problem_.y[i]);
    return residuals;
  }

  std::vector<double> jacobian(const std::vector<double>& z) const override {
    const ScaledFormula at = with(z);
    std::vector<double> columns(z.size() * rows(), 0);
    for (size_t i = 0; i < problem_.x.size(); ++i) {
      const double x = problem_.x[i], root = std::sqrt(problem_.weight[i]);
      const Derivatives f = derivatives_of(formula_, at.b * x + at.c, constants_);
      const double by[] = {f.value, at.a * f.slope * x, at.a * f.slope, 1};
      size_t column = 0;
      for (size_t k = 0; k < std::size(kParameters); ++k)
        if (free_ & kParameters[k].bit) columns[column++ * rows() + i] = root * by[k];
    }
    return columns;
  }

 private:
  static constexpr struct {
    unsigned bit;
    double ScaledFormula::*of;
  } kParameters[] = {{kA, &ScaledFormula::a},
                     {kB, &ScaledFormula::b},
                     {kC, &ScaledFormula::c},
                     {kD, &ScaledFormula::d}};

  /// One for each input, and more than there are unknowns; the rest are 0.
  size_t rows() const { return std::max(problem_.x.size(), lower_.size() + 1); }

  /// The formula with these values of its free parameters.
  ScaledFormula with(const std::vector<double>& z) const {
    ScaledFormula result{&formula_};
    auto value = z.begin();
    for (const auto& parameter : kParameters)
      if (free_ & parameter.bit) result.*parameter.of = *value++;
    return result;
  }

  Candidate descend(const Candidate& start) const {
    std::vector<double> z;
    for (const auto& parameter : kParameters)
      if (free_ & parameter.bit) z.push_back(start.function.*parameter.of);
    const DescentEnd end = descend_squares(*this, z, 1e-9);
    return {with(end.z), end.cost};
  }

  std::vector<double> slopes() const {
    std::vector<double> slopes{1};
    for (int k = -3; k <= 4; ++k)
      for (const double sign : {1.0, -1.0})
        slopes.push_back(sign * std::ldexp(1, k) / problem_.scale);
    slopes.push_back(-1);
    return slopes;
  }

  /// The best of the grid, at most one for each b, and b = 1, c = 0.
  std::vector<Candidate> grid() const {
    const auto [low, high] = std::minmax_element(problem_.x.begin(), problem_.x.end());
    const double middle = (*low + *high) / 2, reach = *high - *low;
    std::vector<ScaledFormula> places;
    std::vector<size_t> ends;  // of each b's places
    for (const double b : free_& kB ? slopes() : std::vector<double>{1}) {
      places.push_back({&formula_, 1, b, 0, 0});
      for (int k = -10; free_ & kC && k <= 10; ++k)
        places.push_back({&formula_, 1, b, -b * (middle + reach * k / 10), 0});
      ends.push_back(places.size());
    }
    const std::vector<double> values = values_at(places);
    std::vector<Candidate> best;
    size_t place = 0;
    for (const size_t end : ends) {
      Candidate of_slope;
      for (; place < end; ++place) {
        const Candidate here =
            linear_fit(problem_, places[place], free_, &values[place * problem_.x.size()]);
        if (here.cost < of_slope.cost) of_slope = here;
      }
      best.push_back(of_slope);
    }
    const auto by_cost = [](const Candidate& a, const Candidate& b) { return a.cost < b.cost; };
    std::stable_sort(best.begin(), best.end(), by_cost);
    best.resize(std::min<size_t>(best.size(), kStarts));
    best.push_back(linear_fit(problem_, places[0], free_, values.data()));
    return best;
  }

  /// f(b x + c) at all inputs, place after place.
  std::vector<double> values_at(const std::vector<ScaledFormula>& places) const {
    std::vector<double> u;
    u.reserve(places.size() * problem_.x.size());
    for (const ScaledFormula& place : places)
      for (const double x : problem_.x) u.push_back(place.b * x + place.c);
    const Tensor inputs = Tensor::from<double>(u, {static_cast<int64_t>(u.size())});
    return apply({formula_, constants_}, inputs).to_vector<double>();
  }

  const SearchProblem& problem_;
  const Formula& formula_;
  unsigned free_;
  std::vector<double> constants_;
};

}  // namespace

SearchProblem::SearchProblem(const std::function<double(double)>& g,
                             const std::vector<WeightedInput>& inputs) {
  double total = 0, mean = 0;
  for (const WeightedInput& input : inputs) {
    check(input.weight >= 0 && std::isfinite(input.weight), "nearest_formula: the weight at ",
          input.x, " is ", input.weight);
    if (input.weight == 0) continue;
    x.push_back(input.x);
    y.push_back(g(input.x));
    weight.push_back(input.weight);
    check(std::isfinite(x.back()) && std::isfinite(y.back()),
          "nearest_formula: expected finite numbers, got ", y.back(), " at ", input.x);
    total += input.weight;
  }
  check(!x.empty(), "nearest_formula: there are no inputs with a weight");
  for (double& w : weight) w /= total;
  for (size_t i = 0; i < x.size(); ++i) centre += weight[i] * x[i], mean += weight[i] * y[i];
  for (size_t i = 0; i < x.size(); ++i) {
    scale += weight[i] * (x[i] - centre) * (x[i] - centre);
    spread += weight[i] * (y[i] - mean) * (y[i] - mean);
    size += weight[i] * y[i] * y[i];
  }
  scale = std::sqrt(scale), spread = std::sqrt(spread), size = std::sqrt(size);
  if (!(scale > 0)) scale = 1;
}

double SearchProblem::cost(const double* f, double a, double d) const {
  double total = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double error = a * f[i] + d - y[i];
    total += weight[i] * error * error;
  }
  return std::isfinite(total) ? total : std::numeric_limits<double>::infinity();
}

Candidate search_formula(const SearchProblem& problem, const Formula& formula, unsigned free) {
  return FormulaSearch(problem, formula, free).best();
}

}  // namespace pade::lab
