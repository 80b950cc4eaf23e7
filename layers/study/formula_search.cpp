#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include <pade/core/error.h>
#include <pade/core/ops/elementwise.h>
#include <pade/layers/study/formula_search.h>
#include <pade/layers/study/least_squares.h>

namespace pade {
namespace {

constexpr int kStarts = 3;  // points of the grid from which the descent goes on
constexpr int kSteps = 60;

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

/// One formula against the problem.
class FormulaSearch {
 public:
  FormulaSearch(const SearchProblem& problem, const Formula& formula)
      : problem_(problem), formula_(formula), constants_(starts_of(formula)) {}

  Candidate best(unsigned free) const {
    Candidate best;
    for (const Candidate& start : grid(free)) {
      const Candidate end = free & (kB | kC) ? descend(start, free) : start;
      if (end.cost < best.cost) best = end;
    }
    return best;
  }

 private:
  std::vector<double> slopes() const {
    std::vector<double> slopes{1};
    for (int k = -3; k <= 4; ++k)
      for (const double sign : {1.0, -1.0})
        slopes.push_back(sign * std::ldexp(1, k) / problem_.scale);
    slopes.push_back(-1);
    return slopes;
  }

  /// The best of the grid, at most one for each b, and b = 1, c = 0.
  std::vector<Candidate> grid(unsigned free) const {
    const auto [low, high] = std::minmax_element(problem_.x.begin(), problem_.x.end());
    const double middle = (*low + *high) / 2, reach = *high - *low;
    std::vector<ScaledFormula> places;
    std::vector<size_t> ends;  // of each b's places
    for (const double b : free& kB ? slopes() : std::vector<double>{1}) {
      places.push_back({&formula_, 1, b, 0, 0});
      for (int k = -10; free & kC && k <= 10; ++k)
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
            linear_fit(problem_, places[place], free, &values[place * problem_.x.size()]);
        if (here.cost < of_slope.cost) of_slope = here;
      }
      best.push_back(of_slope);
    }
    const auto by_cost = [](const Candidate& a, const Candidate& b) { return a.cost < b.cost; };
    std::stable_sort(best.begin(), best.end(), by_cost);
    best.resize(std::min<size_t>(best.size(), kStarts));
    best.push_back(linear_fit(problem_, places[0], free, values.data()));
    return best;
  }

  /// f(b x + c) at all inputs, place after place.
  std::vector<double> values_at(const std::vector<ScaledFormula>& places) const {
    std::vector<double> u;
    u.reserve(places.size() * problem_.x.size());
    for (const ScaledFormula& place : places)
      for (const double x : problem_.x) u.push_back(place.b * x + place.c);
    const auto row = [](const std::vector<double>& numbers) {
      return Tensor::from<double>(numbers, {static_cast<int64_t>(numbers.size())});
    };
    return apply_formula(formula_, row(u), row(constants_)).to_vector<double>();
  }

  /// Levenberg–Marquardt with Marquardt's scaling over the free parameters.
  Candidate descend(Candidate at, unsigned free) const {
    const double steepest = std::max(1.0, 32 / problem_.scale);
    const double flattest = std::min(1.0, 1 / (16 * problem_.scale));
    double damping = 1e-3;
    for (int step = 0; step < kSteps && at.cost > 0; ++step) {
      const Linearised system = linearise(at.function, free);
      bool improved = false;
      for (; !improved && damping < 1e8; damping *= improved ? 0.1 : 8) {
        const ScaledFormula next = stepped(at.function, free, system.solve(damping));
        if (!(std::abs(next.b) <= steepest && std::abs(next.b) >= flattest)) continue;
        const std::vector<double> f = values_at({next});
        const Candidate there{next, problem_.cost(f.data(), next.a, next.d)};
        if (!(there.cost < at.cost)) continue;
        improved = true;
        if (there.cost > (1 - 1e-9) * at.cost) return there;
        at = there;
      }
      if (!improved) break;
    }
    return at;
  }

  /// Residuals and their slopes by the free parameters, each column after the other.
  struct Linearised {
    std::vector<double> columns, residuals, norms;

    std::vector<double> solve(double damping) const {
      const size_t count = norms.size(), rows = residuals.size();
      std::vector<double> a, b = residuals;
      for (double& value : b) value = -value;
      b.resize(rows + count, 0);
      for (size_t k = 0; k < count; ++k) {
        a.insert(a.end(), columns.begin() + static_cast<int64_t>(k * rows),
                 columns.begin() + static_cast<int64_t>((k + 1) * rows));
        a.resize(a.size() + count, 0);
        a[a.size() - count + k] = std::sqrt(damping) * norms[k];
      }
      return least_squares(std::move(a), std::move(b), static_cast<int>(count));
    }
  };

  Linearised linearise(const ScaledFormula& at, unsigned free) const {
    Linearised system;
    std::vector<Derivatives> f;
    for (size_t i = 0; i < problem_.x.size(); ++i) {
      f.push_back(derivatives_of(formula_, at.b * problem_.x[i] + at.c, constants_));
      system.residuals.push_back(std::sqrt(problem_.weight[i]) *
                                 (at.a * f[i].value + at.d - problem_.y[i]));
    }
    for (const unsigned parameter : {kA, kB, kC, kD}) {
      if (!(free & parameter)) continue;
      double squares = 0;
      for (size_t i = 0; i < problem_.x.size(); ++i) {
        const double slope = parameter == kA   ? f[i].value
                             : parameter == kB ? at.a * f[i].slope * problem_.x[i]
                             : parameter == kC ? at.a * f[i].slope
                                               : 1;
        system.columns.push_back(std::sqrt(problem_.weight[i]) * slope);
        squares += system.columns.back() * system.columns.back();
      }
      system.norms.push_back(std::max(std::sqrt(squares), 1e-12));
    }
    return system;
  }

  static ScaledFormula stepped(ScaledFormula at, unsigned free, const std::vector<double>& step) {
    size_t k = 0;
    if (free & kA) at.a += step[k++];
    if (free & kB) at.b += step[k++];
    if (free & kC) at.c += step[k++];
    if (free & kD) at.d += step[k++];
    return at;
  }

  const SearchProblem& problem_;
  const Formula& formula_;
  std::vector<double> constants_;
};

}  // namespace

std::vector<double> starts_of(const Formula& formula) {
  std::vector<double> constants;
  for (const Formula::Constant& constant : formula.constants) constants.push_back(constant.start);
  return constants;
}

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
  return FormulaSearch(problem, formula).best(free);
}

}  // namespace pade
