#include "lab/nearest_formula.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include <pade/core/error.h>
#include <pade/core/parallel.h>

#include "lab/formula_search.h"

namespace pade::lab {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kPriceOfParameter = 1.1, kFloor = 5e-4;
constexpr double kAlike = 0.02;  // relative difference of scores that decides nothing

/// The best of all, as candidates come.
class Choice {
 public:
  explicit Choice(const SearchProblem& problem)
      : floor_(kFloor * problem.spread + kRounding * problem.size) {}

  /// Whether one with so many free parameters that comes no nearer than this may still be chosen.
  bool may_win(double cost, int free_parameters) const {
    return score(std::sqrt(cost), free_parameters) <= least_ * (1 + kAlike);
  }
  void offer(const Candidate& candidate, unsigned free) {
    const double rms = std::sqrt(candidate.cost);
    const double here = score(rms, size_of(free));
    if (!std::isfinite(here)) return;
    least_ = std::min(least_, here);
    const Formula& formula = *candidate.function.formula;
    best_.push_back({{candidate.function, size_of(free), rms},
                     here,
                     {size_of(free), size_of(free & (kB | kC)),
                      static_cast<int>(formula.constants.size()), formula.index}});
  }
  NearestFormula result() const {
    const Offer* chosen = nullptr;
    for (const Offer& offer : best_)
      if (offer.score <= least_ * (1 + kAlike) && (!chosen || offer.order < chosen->order))
        chosen = &offer;
    check(chosen, "nearest_formula: no formula is finite at the inputs");
    return chosen->nearest;
  }

 private:
  struct Offer {
    NearestFormula nearest;
    double score;
    /// Among scores that are alike, the least is taken: fewer free parameters, fewer of b and c
    /// among them, fewer constants, the formula's place.
    std::array<int, 4> order;
  };

  double score(double rms, int free_parameters) const {
    return (rms + floor_) * std::pow(kPriceOfParameter, free_parameters);
  }

  double floor_, least_ = kInfinity;
  std::vector<Offer> best_;
};

}  // namespace

double ScaledFormula::operator()(double x) const {
  return a * derivatives_of(*formula, b * x + c, formula->starts()).value + d;
}

std::vector<WeightedInput> uniform_inputs(double low, double high, int count) {
  check(std::isfinite(low) && std::isfinite(high) && low < high && count >= 2,
        "uniform_inputs: ", count, " inputs from ", low, " to ", high);
  std::vector<WeightedInput> inputs;
  for (int i = 0; i < count; ++i) inputs.push_back({low + (high - low) * i / (count - 1), 1});
  return inputs;
}

NearestFormula nearest_formula(const std::function<double(double)>& g,
                               const std::vector<WeightedInput>& inputs) {
  const SearchProblem problem(g, inputs);
  const std::vector<Formula>& formulas = all_formulas();
  // With all parameters free a formula is as near as it can be.
  std::vector<Candidate> nearest(formulas.size());
  parallel_blocks(static_cast<int64_t>(formulas.size()),
                  [&](int64_t i) { nearest[i] = search_formula(problem, formulas[i], kAll); });
  Choice choice(problem);
  for (const Candidate& candidate : nearest) choice.offer(candidate, kAll);
  for (int count = 0; count < size_of(kAll); ++count) {
    std::vector<std::pair<size_t, unsigned>> tasks;
    for (size_t i = 0; i < formulas.size(); ++i)
      for (unsigned free = 0; free < kAll; ++free)
        if (size_of(free) == count && choice.may_win(nearest[i].cost, count))
          tasks.emplace_back(i, free);
    std::vector<Candidate> found(tasks.size());
    parallel_blocks(static_cast<int64_t>(tasks.size()), [&](int64_t k) {
      found[k] = search_formula(problem, formulas[tasks[k].first], tasks[k].second);
    });
    for (size_t k = 0; k < tasks.size(); ++k) choice.offer(found[k], tasks[k].second);
  }
  return choice.result();
}

}  // namespace pade::lab
