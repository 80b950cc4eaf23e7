#include <algorithm>
#include <array>
#include <cmath>

#include <pade/core/error.h>
#include <pade/layers/study/gauss_quadrature.h>
#include <pade/layers/study/gaussian_analysis.h>

namespace pade {
namespace {

constexpr double kEnd = 14;          // in standard deviations: the density is 1e-43 there
constexpr double kRounding = 1e-12;  // of a variance, below which a difference counts as 0
constexpr int kDeepest = 50;         // halvings of one panel
constexpr int kMostHalvings = 10000;

/// E[f], E[f²], E[f′²] and E[f f′ Z] over a range of z.
using Sums = std::array<double, 4>;

class GaussianIntegral {
 public:
  GaussianIntegral(const DifferentiableFunction& f, double q) : f_(f), deviation_(std::sqrt(q)) {}

  Sums over(const std::vector<double>& cuts) {
    std::vector<Sums> panels;
    for (size_t k = 0; k + 1 < cuts.size(); ++k) {
      panels.push_back(panel(cuts[k], cuts[k + 1]));
      for (size_t i = 0; i < scale_.size(); ++i) scale_[i] += std::abs(panels[k][i]);
    }
    Sums total{};
    for (size_t k = 0; k < panels.size(); ++k) {
      const Sums part = refine(cuts[k], cuts[k + 1], panels[k], 0);
      for (size_t i = 0; i < total.size(); ++i) total[i] += part[i];
    }
    return total;
  }

 private:
  Sums panel(double low, double high) const {
    static const Quadrature rule = gauss_legendre(16);
    const double middle = (low + high) / 2, half = (high - low) / 2;
    Sums sums{};
    for (size_t k = 0; k < rule.nodes.size(); ++k) {
      const double z = middle + half * rule.nodes[k];
      const Derivatives at = f_(deviation_ * z);
      check(std::isfinite(at.value) && std::isfinite(at.slope),
            "gaussian_moments: the function or its slope is not finite at ", deviation_ * z);
      const double weight =
          half * rule.weights[k] * std::exp(-z * z / 2) / std::sqrt(2 * std::acos(-1.0));
      sums[0] += weight * at.value;
      sums[1] += weight * at.value * at.value;
      sums[2] += weight * at.slope * at.slope;
      sums[3] += weight * at.value * at.slope * z;
    }
    return sums;
  }

  Sums refine(double low, double high, const Sums& whole, int depth) {
    const double middle = low + (high - low) / 2;
    const Sums left = panel(low, middle), right = panel(middle, high);
    Sums both;
    double error = 0;
    for (size_t i = 0; i < both.size(); ++i) {
      both[i] = left[i] + right[i];
      const double scale = std::max(scale_[i], std::abs(left[i]) + std::abs(right[i]));
      if (scale > 0) error = std::max(error, std::abs(both[i] - whole[i]) / scale);
    }
    if (error <= 1e-14) return both;
    check(depth < kDeepest && ++halvings_ < kMostHalvings,
          "gaussian_moments: the integral does not converge around x = ", deviation_ * middle,
          "; is there a pole?");
    const Sums a = refine(low, middle, left, depth + 1);
    const Sums b = refine(middle, high, right, depth + 1);
    for (size_t i = 0; i < both.size(); ++i) both[i] = a[i] + b[i];
    return both;
  }

  const DifferentiableFunction& f_;
  double deviation_;
  Sums scale_{};  // of the integrals, by the first panels
  int halvings_ = 0;
};

/// Ends of the first panels, in z: steps that suit the density, steps that suit a function whose
/// shape is around x = 0 and grows wider away from it, and the kinks.
std::vector<double> first_cuts(double deviation, const std::vector<double>& kinks) {
  std::vector<double> cuts = {0, kEnd, -kEnd};
  auto add = [&](double z) {
    if (std::abs(z) < kEnd) cuts.push_back(z);
  };
  for (const double z : {1, 2, 3, 4, 6, 8, 10, 12}) add(z), add(-z);
  for (double x = 0.5; x < kEnd * deviation; x *= 2) add(x / deviation), add(-x / deviation);
  for (const double x : kinks) add(x / deviation);
  std::sort(cuts.begin(), cuts.end());
  cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
  return cuts;
}

}  // namespace

GaussianMoments gaussian_moments(const DifferentiableFunction& f, double q,
                                 const std::vector<double>& kinks) {
  check(std::isfinite(q) && q > 0, "gaussian_moments: the variance is ", q,
        "; it must be positive and finite");
  const Sums sums = GaussianIntegral(f, q).over(first_cuts(std::sqrt(q), kinks));
  return {sums[0], sums[1], sums[2], sums[3] / std::sqrt(q)};
}

double variance_gain(const DifferentiableFunction& f, const std::vector<double>& kinks) {
  return 1 / gaussian_moments(f, 1, kinks).square;
}

RationalFunction scale_to_second_moment(RationalFunction g, double second_moment, double q) {
  check(second_moment > 0 && std::isfinite(second_moment),
        "scale_to_second_moment: the second moment must be positive and finite, got ",
        second_moment);
  const double now = gaussian_moments([&](double x) { return derivatives_of(g, x); }, q).square;
  check(now > 0 && std::isfinite(now), "scale_to_second_moment: E[G(X)²] is ", now,
        ", which no factor makes ", second_moment);
  const double factor = std::sqrt(second_moment / now);
  for (double& c : g.c) c *= factor;
  return g;
}

double chi(const DifferentiableFunction& f, double q, double sigma_w,
           const std::vector<double>& kinks) {
  return sigma_w * sigma_w * gaussian_moments(f, q, kinks).slope_square;
}

std::vector<VarianceFixedPoint> variance_fixed_points(const DifferentiableFunction& f,
                                                      double sigma_w, double sigma_b,
                                                      const std::vector<double>& kinks) {
  constexpr int kDecades = 12, kPerDecade = 20, kPoints = kDecades * kPerDecade + 1;
  const double weight = sigma_w * sigma_w, bias = sigma_b * sigma_b;
  // −1, 0 or 1 as a layer lowers q, keeps it but for rounding, or raises it.
  auto direction = [&](double q) {
    const double change = bias + weight * gaussian_moments(f, q, kinks).square - q;
    return std::abs(change) <= kRounding * q ? 0 : change < 0 ? -1 : 1;
  };
  auto fixed_point = [&](double q, double up_to) {
    return VarianceFixedPoint{q, weight * gaussian_moments(f, q, kinks).square_by_q, up_to};
  };
  std::vector<double> q;
  std::vector<int> directions;
  for (int i = 0; i < kPoints; ++i) {
    q.push_back(std::pow(10, -6 + static_cast<double>(i) / kPerDecade));
    directions.push_back(direction(q.back()));
  }
  std::vector<VarianceFixedPoint> found;
  for (int i = 0; i < kPoints; ++i) {
    if (directions[i] == 0) {
      const int first = i;
      while (i + 1 < kPoints && directions[i + 1] == 0) ++i;
      found.push_back(fixed_point(q[first], q[i]));
    } else if (i + 1 < kPoints && directions[i] * directions[i + 1] < 0) {
      double low = q[i], high = q[i + 1], middle = std::sqrt(low * high);
      while (middle > low && middle < high) {
        const int there = direction(middle);
        if (there == 0) break;
        (there == directions[i] ? low : high) = middle;
        middle = low + (high - low) / 2;
      }
      found.push_back(fixed_point(middle, middle));
    }
  }
  return found;
}

std::vector<EdgeOfChaosPoint> edge_of_chaos(const DifferentiableFunction& f,
                                            const std::vector<double>& q,
                                            const std::vector<double>& kinks) {
  std::vector<EdgeOfChaosPoint> curve;
  for (const double variance : q) {
    const GaussianMoments moments = gaussian_moments(f, variance, kinks);
    if (!(moments.slope_square > 0)) continue;
    double bias = variance - moments.square / moments.slope_square;
    if (std::abs(bias) <= kRounding * variance) bias = 0;
    if (bias >= 0)
      curve.push_back({variance, 1 / std::sqrt(moments.slope_square), std::sqrt(bias)});
  }
  return curve;
}

}  // namespace pade
