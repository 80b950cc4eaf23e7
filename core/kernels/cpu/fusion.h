#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <pade/core/kernels/kernels.h>

namespace pade::cpu {

/// So many elements are in L1 while one function after the other is applied to them.
inline constexpr int64_t kStrip = 512;

/// A function of each element on its own, for at most kStrip elements at a time.
template <class T>
class StripFunction {
 public:
  virtual ~StripFunction() = default;
  virtual void forward(const T* x, T* y, int64_t count) const = 0;
  /// dx from x and dy, which dx may be; adds to sum_count() sums, of which gradients of what the
  /// function has learned are made.
  virtual void backward(const T* x, const T* dy, T* dx, int64_t count, double* sums) const = 0;
  virtual int sum_count() const { return 0; }
};

/// The same function in both precisions, one of which is there.
struct StripFunctions {
  std::unique_ptr<StripFunction<float>> f32;
  std::unique_ptr<StripFunction<double>> f64;

  template <class T>
  void set(std::unique_ptr<StripFunction<T>> function) {
    if constexpr (sizeof(T) == sizeof(float))
      f32 = std::move(function);
    else
      f64 = std::move(function);
  }
  template <class T>
  const StripFunction<T>& of() const {
    if constexpr (sizeof(T) == sizeof(float))
      return *f32;
    else
      return *f64;
  }
};

/// An elementwise op as one pass over its input and an op before it needs it. It holds no tensor;
/// `parameters` are those that it has gradients for, such as coefficients.
class ElementwiseOp {
 public:
  virtual ~ElementwiseOp() = default;
  virtual const char* name() const = 0;
  virtual StripFunctions strips(DType dtype, std::span<const Tensor> parameters) const = 0;
  /// The parameters' gradients from the sums over all strips.
  virtual void finish(std::span<const double> sums, std::span<const Tensor> parameters,
                      std::span<Tensor> gradients) const = 0;
};

// In batch_norm.cpp, rational.cpp, formula.cpp and unary.cpp.

/// f of what batch_norm_apply() gives, in one pass: y = f((x − mean) · inverse · gamma + beta).
void batch_norm_then(const BatchNormProblem& problem, const Tensor& x, const Tensor& mean,
                     const Tensor& inverse, const Tensor& gamma, const Tensor& beta,
                     const StripFunctions& f, Tensor& y);
/// dx, dgamma and dbeta from dy, which belongs to y, and the sums of f's backward over all strips.
std::vector<double> batch_norm_then_backward(const BatchNormProblem& problem, const Tensor& dy,
                                             const Tensor& x, const Tensor& mean,
                                             const Tensor& inverse, const Tensor& gamma,
                                             const Tensor& beta, const StripFunctions& f,
                                             Tensor& dx, Tensor& dgamma, Tensor& dbeta);

/// To be applied in one pass with the op before it: of one group, with the numerator and the
/// denominator for parameters.
std::shared_ptr<const ElementwiseOp> rational_elementwise(const RationalProblem& problem);

/// To be applied in one pass with the op before it, with the constants for a parameter. As
/// apply_formula() has it, learns[k] says whether constants[k] has a gradient; none has one unless
/// `any_learns`.
std::shared_ptr<const ElementwiseOp> formula_elementwise(const Formula& formula, bool any_learns,
                                                         const std::vector<bool>& learns);
/// To be applied in one pass with the op before it.
std::shared_ptr<const ElementwiseOp> unary_elementwise(const char* op, const unary::Function& f);

}  // namespace pade::cpu
