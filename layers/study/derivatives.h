#pragma once

#include <functional>

#include <pade/core/derivatives.h>
#include <pade/layers/study/polynomial.h>
#include <pade/layers/study/rational_fit.h>

namespace pade {

using DifferentiableFunction = std::function<Derivatives(double)>;

/// G = P/Q at x, by the derivatives of the basis' recurrence:
///   G′ = (P′ − G Q′) / Q,   G″ = (P″ − 2 G′ Q′ − G Q″) / Q.
/// At kinks sgn(0) = +1, as in core/ops/rational.h. The polynomials are divided by powers of
/// s = max(1, |x|), so nothing overflows that is in range itself; the errors of value, slope and
/// curvature are roundings of |G|, |G|/s and |G|/s² (times the terms' cancellation in P and Q).
/// Not finite at a pole. Throws Error for an x that is not finite, and for degrees above 8/8.
Derivatives derivatives_of(const RationalFunction& g, double x);

/// The same for p/q.
Derivatives derivatives_of(const Polynomial& p, const Polynomial& q, double x);

}  // namespace pade
