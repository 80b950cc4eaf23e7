#pragma once

#include <vector>

#include <pade/layers/fit_problem.h>

namespace pade {

/// The unknowns that a fit sets out from, always the same: denominators of many sizes, each with
/// the numerator that is best for it. The termwise and the unsafe form need a dozen; the whole sum
/// has many local minima and gets 200 more.
std::vector<std::vector<double>> fit_starts(const FitProblem& problem);

}  // namespace pade
