#pragma once

namespace pade {

/// A function of one variable at one x: f, f′ and f″.
struct Derivatives {
  double value, slope, curvature;
};

}  // namespace pade
