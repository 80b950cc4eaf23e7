#pragma once

namespace pade::compare {

/// I_x(a, b) = ∫₀ˣ t^{a−1} (1−t)^{b−1} dt / B(a, b), the regularised incomplete beta function, by
/// its continued fraction (NIST Digital Library of Mathematical Functions, 8.17.22), to 1e-11
/// of its value for a + b up to 1000 (beyond, the logarithms of Γ grow and their difference loses
/// digits). Throws Error unless a > 0, b > 0 and 0 <= x <= 1.
double regularised_incomplete_beta(double a, double b, double x);

/// P(|T| >= |t|) for Student's T with `freedom` degrees of freedom: the p-value of a two-sided
/// test. An infinite t has 0. Throws Error unless freedom > 0 and t is a number.
double two_sided_p(double t, double freedom);

/// The t with P(|T| <= t) = confidence, half the width of an interval in standard errors. Throws
/// Error unless freedom > 0 and 0 < confidence < 1.
double t_quantile(double confidence, double freedom);

}  // namespace pade::compare
