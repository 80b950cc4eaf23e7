#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <pade/layers/rational.h>
#include <pade/layers/spec.h>

namespace pade {

/// The names of the rational activations: hp1, hp2, opau, pau.
std::vector<std::string> rational_names();

/// A module of that function, with groups, zero_centred, gain, noise and trainable as the spec
/// asks. Throws Error for a wrong value of one of these.
std::unique_ptr<Rational> make_rational(const Spec& spec, const RationalFunction& function,
                                        int64_t channels, DType dtype);

/// What the spec of a rational activation asks for; make_activation() says which keys there are.
class RationalSpec {
 public:
  /// Throws Error for a name that is none of rational_names(), and for wrong keys and values.
  explicit RationalSpec(Spec spec);

  const Spec& spec() const { return spec_; }
  const RationalOptions& options() const { return options_; }
  int numerator_degree() const { return m_; }
  int denominator_degree() const { return n_; }

  /// What start() is a fit of, and where: a formula's name and an interval. The fit is that of
  /// FitOptions, by FitNorm::l2; the preset's is stored.
  std::string init() const;
  std::pair<double, double> interval() const;
  /// The function of the `coefficients`; or the preset's, or, where a key asks for another one, a
  /// fit, which a process makes once: all layers of a network ask for the same.
  RationalFunction start() const;

 private:
  /// Reads `coefficients`, which decide the degrees.
  void read_coefficients();
  /// A fit of init on the interval; with zero_mean, of init less a constant.
  RationalFunction fit(const std::string& init, const FitOptions& interval, bool zero_mean) const;

  Spec spec_;
  const RationalPreset* preset_;
  RationalOptions options_;
  int m_, n_;
  std::optional<RationalFunction> given_;  // by `coefficients`
};

}  // namespace pade
