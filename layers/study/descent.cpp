#include <algorithm>
#include <cmath>
#include <utility>

#include <pade/layers/study/descent.h>
#include <pade/layers/study/least_squares.h>
#include <pade/layers/study/linear_minimax.h>

namespace pade {
namespace {

double squared(const std::vector<double>& residuals) {
  double total = 0;
  for (double r : residuals) total += r * r;
  return total;
}

double largest(const std::vector<double>& residuals) {
  double most = 0;
  for (double r : residuals) {
    if (std::isnan(r)) return r;
    most = std::max(most, std::abs(r));
  }
  return most;
}

/// The unknowns that may move: not those at their bounds whose gradient −Rᵀ u leads outside.
std::vector<int> movable(const ResidualProblem& problem, const std::vector<double>& z,
                         const TriangularSystem& system) {
  const int n = static_cast<int>(z.size());
  std::vector<int> free;
  for (int i = 0; i < n; ++i) {
    double downhill = 0;
    for (int k = 0; k <= i; ++k) downhill += system.r[i * n + k] * system.u[k];
    if (z[i] > problem.lower()[i] || downhill > 0) free.push_back(i);
  }
  return free;
}

/// The step of Levenberg and Marquardt in the unknowns `free`; the others stay.
std::vector<double> damped_step(const TriangularSystem& system, const std::vector<int>& free,
                                double lambda) {
  const size_t n = system.u.size(), columns = free.size(), rows = n + columns;
  std::vector<double> a(columns * rows, 0), b = system.u, step(n, 0);
  b.resize(rows, 0);
  for (size_t j = 0; j < columns; ++j) {
    const double* column = &system.r[free[j] * n];
    double norm = 0;
    for (size_t k = 0; k < n; ++k) {
      a[j * rows + k] = column[k];
      norm += column[k] * column[k];
    }
    a[j * rows + n + j] = std::sqrt(lambda * std::max(norm, 1e-30));
  }
  const std::vector<double> solution =
      least_squares(std::move(a), std::move(b), static_cast<int>(columns));
  for (size_t j = 0; j < columns; ++j) step[free[j]] = solution[j];
  return step;
}

}  // namespace

void ResidualProblem::clamp(std::vector<double>& z) const {
  for (size_t i = 0; i < z.size(); ++i) z[i] = std::max(z[i], lower_[i]);
}

DescentEnd descend_squares(const ResidualProblem& problem, std::vector<double> z,
                           double least_share) {
  std::vector<double> residuals = problem.residuals(z);
  double cost = squared(residuals), lambda = 1e-2;
  int trials = 0;
  while (trials < 300 && lambda < 1e12 && std::isfinite(cost)) {
    for (double& r : residuals) r = -r;
    const TriangularSystem system =
        triangular_system(problem.jacobian(z), residuals, static_cast<int>(z.size()));
    const std::vector<int> free = movable(problem, z, system);
    if (free.empty()) break;
    const double before = cost;
    for (; trials < 300 && lambda < 1e12 && cost == before; ++trials) {
      const std::vector<double> step = damped_step(system, free, lambda);
      std::vector<double> next = z;
      for (size_t i = 0; i < z.size(); ++i) next[i] += step[i];
      problem.clamp(next);
      std::vector<double> next_residuals = problem.residuals(next);
      const double next_cost = squared(next_residuals);
      if (!(next_cost < cost)) {
        lambda *= 4;
        continue;
      }
      z = std::move(next);
      residuals = std::move(next_residuals);
      cost = next_cost;
      lambda = std::max(lambda / 5, 1e-15);
    }
    if (before - cost < least_share * before) break;
  }
  return {z, cost};
}

DescentEnd descend_largest(const ResidualProblem& problem, std::vector<double> z) {
  std::vector<double> residuals = problem.residuals(z);
  double error = largest(residuals), radius = 10;
  const size_t rows = residuals.size(), n = z.size();
  for (int trial = 0; trial < 500 && radius > 1e-7 && std::isfinite(error) && error > 0; ++trial) {
    // In units in which the largest residual is 1, and so is the largest entry of each column.
    std::vector<double> a = problem.jacobian(z), r = residuals, scale(n), low(n), high(n, radius);
    for (double& value : r) value /= error;
    for (size_t i = 0; i < n; ++i) {
      double most = 0;
      for (size_t k = 0; k < rows; ++k) most = std::max(most, std::abs(a[i * rows + k]));
      scale[i] = most > 0 ? error / most : 1;
      for (size_t k = 0; k < rows; ++k) a[i * rows + k] *= scale[i] / error;
      low[i] = std::clamp((problem.lower()[i] - z[i]) / scale[i], -radius, 0.0);
    }
    const LinearMinimax step = linear_minimax(a, r, low, high);
    const double predicted = error * (1 - step.largest);
    if (step.solved && predicted < 1e-10 * error) break;
    std::vector<double> next = z;
    if (step.solved)
      for (size_t i = 0; i < n; ++i) next[i] += scale[i] * step.x[i];
    problem.clamp(next);
    std::vector<double> next_residuals = problem.residuals(next);
    const double next_error = largest(next_residuals);
    const double gain = step.solved ? (error - next_error) / predicted : 0;
    if (gain > 0.75)
      radius *= 3;
    else if (!(gain > 0.25))
      radius *= 0.3;
    if (!(gain > 1e-3)) continue;
    z = std::move(next);
    residuals = std::move(next_residuals);
    error = next_error;
  }
  return {z, error};
}

}  // namespace pade
