#include <cmath>

#include <pade/core/error.h>
#include <pade/layers/study/gaussian_analysis.h>
#include <pade/layers/study/second_moment.h>

namespace pade {

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

}  // namespace pade
