#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <pade/core/ops/elementwise.h>
#include <pade/layers/module.h>
#include <pade/layers/study/activation_function.h>

namespace pade {

/// A function of one variable, applied element by element.
class Activation : public Module {
 public:
  /// What it computes now, in one of its groups of channels.
  virtual ActivationFunction as_function(int64_t group = 0) const = 0;
  virtual int64_t groups() const { return 1; }
  /// Whether it is something that is learned: every rational one is, and a formula some of whose
  /// constants are.
  virtual bool is_learned() const = 0;
  /// The formula in words, with the names of what may be learned.
  virtual std::string formula() const = 0;
  /// The SPEC with which make_activation() makes one that can hold the same coefficients and learns
  /// the same; of a formula with its constants as they are now.
  virtual std::string spec() const = 0;

  /// What forward() applies now, for BatchNorm::then(); null where it is more than such a function.
  virtual std::optional<ElementwiseFunction> elementwise() { return std::nullopt; }

  /// f, f′ and f″ of as_function() at one x.
  Derivatives derivatives(double x) const { return as_function().derivatives(x); }
};

/// One of all_formulas(), with constants of its own.
class FormulaActivation : public Activation {
 public:
  /// constants[k] is learned where learns[k]. Throws Error unless there is one of each for every
  /// constant of the formula.
  FormulaActivation(const Formula& formula, const std::vector<double>& constants,
                    std::vector<bool> learns, DType dtype = DType::float32);
  /// That of the name, none of whose constants are learned. Throws Error unless there are as many.
  FormulaActivation(std::string_view name, const std::vector<double>& constants = {});

  ActivationFunction as_function(int64_t group = 0) const override;
  bool is_learned() const override;
  std::string formula() const override { return formula_.text; }
  std::string spec() const override;
  std::string description() const override;
  void visit(ModuleVisitor& visitor) override;
  std::optional<ElementwiseFunction> elementwise() override;

 protected:
  Tensor forward(const Tensor& x) override;

 private:
  Formula formula_;
  std::vector<bool> learns_;
  Tensor constants_;
  Tensor step_scale_;  // where something is learned
};

/// The usual fixed ones as modules, for Sequential{Linear(2, 16), ReLU(), …}. make_activation() has
/// all, by name.
struct ReLU : FormulaActivation {
  ReLU() : FormulaActivation("relu") {}
};
struct LeakyReLU : FormulaActivation {
  explicit LeakyReLU(double slope = 0.01) : FormulaActivation("leaky_relu", {slope}) {}
};
struct ELU : FormulaActivation {
  ELU() : FormulaActivation("elu", {1}) {}
};
struct GELU : FormulaActivation {
  GELU() : FormulaActivation("gelu") {}
};
struct SiLU : FormulaActivation {  ///< x sigmoid(x), also called Swish
  SiLU() : FormulaActivation("swish", {1}) {}
};
struct Mish : FormulaActivation {
  Mish() : FormulaActivation("mish") {}
};
struct Softplus : FormulaActivation {
  Softplus() : FormulaActivation("softplus") {}
};
struct Tanh : FormulaActivation {
  Tanh() : FormulaActivation("tanh") {}
};
struct Sigmoid : FormulaActivation {
  Sigmoid() : FormulaActivation("sigmoid") {}
};

/// The activation that a SPEC names: `relu`, `leaky_relu:slope=0.1`, `swish:trainable=true`, `hp1`,
/// `opau:basis=legendre`, …
///
/// Those that a formula gives (core/formula.h) take their constants as keys, and
///   trainable=true|false        all or none of the constants are learned; else those that usually
///                               are
/// The rational ones (hp1, hp2, pau, opau) take the keys
///   basis=B, form=termwise|whole_sum|full_sum|unsafe, degrees=5/4, coefficients=c0 c1 …/d1 …,
///   groups=1|N|channel, axis=1|-1, shared_numerator=true|false (Rational::share_numerator()),
///   init=leaky_relu|…, interval=-5:5, zero_centred=true|false, zero_mean=true|false,
///   gain=true|lecun_normal|he_normal|pytorch|…, noise=0, trainable=true|false;
/// and hermite, a polynomial that starts next to ReLU (layers/rational.h), degree=3, groups,
/// zero_centred, noise and trainable.
/// init is any formula; when basis, form, degrees, init or interval differ from the preset's, the
/// start is fitted again. zero_centred holds G(0) = 0 (Rational::keep_zero_centred()). noise=0.1
/// multiplies every coefficient by U(0.9, 1.1) while training (Rational::set_noise()). Two keys are
/// for the start of deep networks without normalisation, with Z ~ N(0, 1):
///   zero_mean=true   E[G(Z)] = 0, to 1e-3: `init` less a constant is fitted
///   gain=true        E[G(Z)²] = 1, by a factor, which suits Init::lecun_normal; gain=I is for
///                    layers that start with Init I (assumed_second_moment() in layers/init.h)
/// The gain alone keeps the variance in wide layers only: E[G]² is a third of E[G²] for Leaky ReLU
/// and its like, which makes the inputs of deep layers alike. After 20 convolutions of 16 channels
/// their variance is anywhere from 0.03 to 2, and with zero_mean=true within a factor of 2.
///
/// `channels` is what the activation will see, for groups=channel; the constants and coefficients
/// are of `dtype`. Throws Error that lists the right names or keys, and the nearest, on a wrong
/// one.
std::unique_ptr<Activation> make_activation(std::string_view spec, int64_t channels = 1,
                                            DType dtype = DType::float32);

/// The names make_activation() knows.
std::vector<std::string> activation_names();

}  // namespace pade
