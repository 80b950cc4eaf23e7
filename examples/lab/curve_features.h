#pragma once

#include <vector>

#include <pade/layers/study/derivatives.h>

namespace pade::lab {

/// Where the slope changes sign.
struct Extremum {
  double x, value;
  bool is_maximum;
  bool at_kink;  ///< the slope jumps there
};

/// Where the curvature changes sign.
struct Inflection {
  double x, value, slope;
  bool at_kink;  ///< the curvature or the slope jumps there
};

/// The smallest L with |f(a) − f(b)| ≤ L |a − b| on the interval: the largest |slope|.
struct LipschitzConstant {
  double value = 0;
  double x = 0;         ///< where it is reached, or approached from one side
  bool proven = false;  ///< whether x was found among all places where it can be
};

struct CurveFeatures {
  std::vector<Extremum> extrema;        ///< inside of the interval, from left to right
  std::vector<Inflection> inflections;  ///< likewise
  LipschitzConstant lipschitz;
};

/// The features of any function on [low, high], from `samples` evenly spaced points and bisection
/// between those where slope or curvature differ in sign. It is a search, not a proof: two features
/// between neighbouring points are missed, and the Lipschitz constant is the largest |slope| at the
/// points and the inflections, a lower bound. at_kink is always false. Throws Error for an empty
/// interval, fewer than 3 samples, and a function that is not finite on it.
CurveFeatures search_curve(const DifferentiableFunction& f, double low, double high,
                           int samples = 10001);

}  // namespace pade::lab
