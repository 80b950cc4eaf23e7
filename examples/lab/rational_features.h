#pragma once

#include <pade/layers/study/rational_regions.h>

#include "lab/curve_features.h"

namespace pade::lab {

/// Extrema, inflections and the Lipschitz constant of G on [low, high], from all real roots of the
/// numerators of G′ and G″ in each region, and the kinks:
///   G′ = W/Q² with W = P′Q − P Q′,   G″ = (W′Q − 2 W Q′) / Q³.
///
/// An extremum is where the sign of the slope differs on both sides, an inflection where that of
/// the curvature does; neither is at a pole or at the interval's ends. The Lipschitz constant is
/// proven: on each region |G′| is largest at an end or at a root of the numerator of G″, and all of
/// these are compared, at kinks the slopes on both sides; what remains is the rounding of the
/// roots. It is ∞ when a real pole is in the interval.
///
/// Throws Error for an empty or infinite interval, and where regions_of() does.
CurveFeatures features_of(const RationalFunction& g, double low, double high);

}  // namespace pade::lab
