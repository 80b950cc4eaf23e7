#pragma once

#include <vector>

#include <pade/layers/study/fit_problem.h>

namespace pade {

/// The unknowns that a fit starts from, always the same: denominators of many sizes, each with the
/// numerator that is best for it. The termwise and the unsafe form need a dozen; the magnitude of a
/// sum makes many local minima, so whole_sum gets 200 more and full_sum 40.
std::vector<std::vector<double>> fit_starts(const FitProblem& problem);

}  // namespace pade
