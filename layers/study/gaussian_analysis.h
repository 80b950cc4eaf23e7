#pragma once

#include <vector>

#include <pade/layers/study/derivatives.h>

/// How a wide network with random weights carries signals: pre-activations of a layer are Gaussian,
/// and of their variances q and correlations only these means of the activation f matter
/// (Poole et al. 2016, arXiv:1606.05340; Schoenholz et al. 2017, arXiv:1611.01232). A weight has
/// the variance σ_w²/fan_in, a bias σ_b².
///
/// Everywhere `kinks` are the x at which f or f′ jumps; 0 need not be named.
namespace pade {

/// Means over X ~ N(0, q).
struct GaussianMoments {
  double mean;          ///< E[f(X)]
  double square;        ///< E[f(X)²]
  double slope_square;  ///< E[f′(X)²]
  double square_by_q;   ///< dE[f(X)²]/dq = E[f f′ X]/q
};

/// By Gauss–Legendre panels between the kinks, halved until each agrees with its halves to 1e-14 of
/// the integral. Jumps that are not named cost time, not accuracy. Throws Error when q is not
/// positive and finite, when f or f′ is not finite, and when the integral does not converge, as at
/// a pole.
GaussianMoments gaussian_moments(const DifferentiableFunction& f, double q,
                                 const std::vector<double>& kinks = {});

/// 1/E[f(Z)²] for Z ~ N(0, 1): the σ_w² that keeps variance 1 (He et al. 2015 have 2, for ReLU).
double variance_gain(const DifferentiableFunction& f, const std::vector<double>& kinks = {});

/// a·G with E[(a·G(X))²] = second_moment for X ~ N(0, q): the activation to start a deep plain
/// network with, where second_moment is what its weights ask for (assumed_second_moment() in
/// layers/init.h), so that q is a fixed point of the variance:
///
///   scale_to_second_moment(hp1_preset().start)        // with Init::lecun_normal, at variance 1
///   scale_to_second_moment(hp1_preset().start, 0.5)   // with Init::he_normal
///
/// Only the numerator changes. Throws Error unless second_moment and q are positive and finite, and
/// where the integral is zero or does not converge, as at a pole.
RationalFunction scale_to_second_moment(RationalFunction g, double second_moment = 1, double q = 1);

/// χ = σ_w² E[f′(X)²]: the factor by which a layer multiplies the variance of gradients, and small
/// differences of its inputs. Below 1 is order, above 1 chaos.
double chi(const DifferentiableFunction& f, double q, double sigma_w,
           const std::vector<double>& kinks = {});

/// A variance that a layer passes on unchanged.
struct VarianceFixedPoint {
  double q;
  double slope;  ///< of the variance map there; stable below 1
  double
      up_to;  ///< q, or the end of a stretch on which every variance is one, as ReLU's at σ_w² = 2
};

/// The q* = σ_b² + σ_w² E[f(√q* Z)²] in [1e-6, 1e6], in ascending order: from sign changes over a
/// grid of 20 points per decade, each refined by bisection. Two between neighbouring points of the
/// grid are missed, and so is one at which the map only touches the diagonal.
std::vector<VarianceFixedPoint> variance_fixed_points(const DifferentiableFunction& f,
                                                      double sigma_w, double sigma_b,
                                                      const std::vector<double>& kinks = {});

/// A point of the curve between order and chaos: χ = 1 at the fixed point q.
struct EdgeOfChaosPoint {
  double q, sigma_w, sigma_b;
};

/// For each given q: σ_w² = 1/E[f′²] and σ_b² = q − σ_w² E[f²]. Those with σ_b² < 0 are left out,
/// and those with E[f′²] = 0.
std::vector<EdgeOfChaosPoint> edge_of_chaos(const DifferentiableFunction& f,
                                            const std::vector<double>& q,
                                            const std::vector<double>& kinks = {});

}  // namespace pade
