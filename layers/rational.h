#pragma once

#include <memory>
#include <optional>
#include <string>

#include <pade/layers/activation.h>
#include <pade/layers/study/rational_fit.h>

namespace pade {

/// The learned activation P/Q (see core/ops/rational.h), of degrees m/n. numerator [groups, m+1],
/// or [1, m+1] where it is shared, and denominator [groups, n], in full_sum [groups, n+1], are
/// trainable; optimisers give them a group of their own, whose steps are scaled by the
/// step_scales() of the start.
///
///   Rational::hp1()                                   // as in the paper
///   Rational(fit_rational(f, {Basis::legendre}, 5, 4).function, channels)   // your own start
class Rational : public Activation {
 public:
  /// Every group starts as `start`. groups = 1 shares one function in the whole layer; otherwise
  /// the input's channels are cut into that many runs.
  explicit Rational(const RationalFunction& start, int64_t groups = 1,
                    DType dtype = DType::float32);

  /// HP-1 and HP-2 of arXiv:2106.09693 (Hermite He and H, eq. 7, degrees 5/4), and the Padé
  /// activation unit PAU (monomial, eq. 4), starting as least-squares fits of Leaky ReLU, slope
  /// 0.01, on [−10, 10], [−5, 5] and [−3, 3].
  static Rational hp1(int64_t groups = 1);
  static Rational hp2(int64_t groups = 1);
  static Rational pau(int64_t groups = 1);

  /// The function that one group is now.
  RationalFunction function(int64_t group = 0) const;
  const RationalOptions& options() const { return options_; }
  int64_t groups() const override { return denominator.extent(0); }
  int64_t numerator_degree() const { return numerator.extent(1) - 1; }
  int64_t denominator_degree() const {
    return denominator.extent(1) - 1 + first_denominator(options_.form);
  }
  /// Stops or resumes learning of the coefficients. Call it before building an optimiser.
  void set_trainable(bool trainable);
  /// In train mode, multiplies every coefficient by a factor of its own from [1 − noise, 1 +
  /// noise), drawn again for each call from a stream of this module; the gradient goes through the
  /// factor. What is saved, and what function(), derivatives() and reports show, is without noise.
  /// Where G(0) = 0 is held, it is with noise, too. whole_sum with 0.1 is version D of
  /// ml-research's rational_activations. Throws Error unless 0 <= noise < 1.
  void set_noise(double noise);
  double noise() const { return noise_; }
  /// Makes the first group's numerator that of all groups, as in the activations of KAT
  /// (arXiv:2409.10594) and rational_kat_cu. Call it before building an optimiser.
  void share_numerator();
  /// Says which axis of the input the groups cut: 1, as images and sequences [N, C, L] have their
  /// channels, or −1 for the last, as tokens [N, L, C] have them. Nothing need be said where both
  /// are one, or for images; of three axes, several groups refuse to guess.
  void set_channel_axis(int axis);
  /// Holds G(0) = 0 from now on: before every use, P(0) = Σ c_i f_i(0) is made 0 by subtracting
  /// from c the multiple of the vector s_i² f_i(0) that does so, s_i being the step_scale, which is
  /// the smallest change of c_i / s_i; the gradient goes through that.
  void keep_zero_centred();

  ActivationFunction as_function(int64_t group = 0) const override { return function(group); }
  bool is_learned() const override { return true; }
  std::string formula() const override;
  std::string spec() const override;
  void visit(ModuleVisitor& visitor) override;
  std::string description() const override;
  std::optional<ElementwiseFunction> elementwise() override;

  Tensor numerator, denominator;

 protected:
  Tensor forward(const Tensor& x) override;

 private:
  /// The numerator without the part that makes P(0).
  Tensor zero_centred(const Tensor& numerator) const;
  /// Takes that part out of what an optimiser or a file has put there since the last time.
  void centre_numerator();
  /// The coefficients as they are used now.
  ElementwiseFunction current();
  /// The coefficients, each times a factor.
  Tensor with_noise(const Tensor& coefficients);

  RationalOptions options_;
  Tensor numerator_scale_, denominator_scale_;  // the step_scales() of the start
  bool zero_centred_ = false;
  std::weak_ptr<Storage> centred_;  // the numerator's when it was centred last …
  uint32_t centred_version_ = 0;    // … and its version then
  std::optional<int> channel_axis_;
  double noise_ = 0;
  std::optional<Rng> noise_rng_;  // where there is noise
};

}  // namespace pade
