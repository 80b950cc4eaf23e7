#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <pade/core/error.h>
#include <pade/core/kernels/math/arithmetic.h>
#include <pade/core/kernels/problems.h>
#include <pade/core/random.h>
#include <pade/core/tensor.h>

namespace pade {

template <class Signature>
class Kernel;

/// A function of one device. A call throws an Error where it gets no memory, and where the device
/// has no such function.
template <class... Arguments>
class Kernel<void(Arguments...)> {
 public:
  using Function = void(Arguments...);
  Kernel& operator=(Function* function) {
    function_ = function;
    return *this;
  }
  explicit operator bool() const { return function_ != nullptr; }
  void operator()(Arguments... arguments) const {
    check(function_ != nullptr, "this operation is not implemented on this device yet");
    bad_alloc_as_error([&] { function_(arguments...); });
  }

 private:
  Function* function_ = nullptr;
};

/// All that a device must be able to do. An op checks its arguments, makes the result, and calls
/// one of these: kernels_of(x).conv2d_forward(problem, x, weight, bias, y). All tensors of a call
/// are on that device, have the shapes and dtypes that the op's header names, and results are not
/// initialised, unless it is said that they are added to. `dy` is the gradient of y, and so on.
struct Kernels {
  // Elements of a tensor -------------------------------------------------------------------------

  /// Every element becomes `value`, converted.
  Kernel<void(Tensor& tensor, double value)> fill;
  /// to = from, converted; of one shape and two dtypes.
  Kernel<void(const Tensor& from, Tensor& to)> convert;
  /// to += alpha · other, of one floating dtype.
  Kernel<void(Tensor& to, const Tensor& other, double alpha)> add_scaled;
  /// tensor *= factor, of a floating dtype.
  Kernel<void(Tensor& tensor, double factor)> scale;
  /// to[to_offset + Σ i_k · to_stride_k] = from[from_offset + Σ i_k · from_stride_k] at every index
  /// i of the axes. A stride of `from` may be 0; no element of `to` is named twice, and what is not
  /// named keeps its value. Any dtype, the same on both sides.
  Kernel<void(const std::vector<CopyAxis>& axes, const Tensor& from, int64_t from_offset,
              Tensor& to, int64_t to_offset)>
      strided_copy;

  // Random numbers, from the blocks of `rng` from where it stands; the caller moves it on ---------

  Kernel<void(const Rng& rng, double low, double high, Tensor& tensor)> fill_uniform;
  Kernel<void(const Rng& rng, double mean, double deviation, Tensor& tensor)> fill_normal;
  /// y = x / (1 − probability) where `rng` keeps the element, 0 elsewhere. The gradient is the same
  /// function of dy, given the same position of the generator.
  Kernel<void(const Tensor& x, double probability, const Rng& rng, Tensor& y)> dropout;

  // Functions of one element ---------------------------------------------------------------------

  /// y = f(x; parameters). A formula is one of core/kernels/math/formula.h; a rational function is
  /// P(x) / Q(x), P = Σ c_i f_i(x) with the numerator's c, and Q of the denominator's d as the form
  /// says (core/rational_form.h).
  Kernel<void(const ElementwiseProblem& f, std::span<const Tensor> parameters, const Tensor& x,
              Tensor& y)>
      elementwise_forward;
  /// dx = dy · f′ at x, or where f saves its value, by y; and unless `gradients` is empty, those of
  /// the parameters, Σ dy ∂f/∂θ. Of a rational function: f′ = (P′ − y Q′) / Q, ∂f/∂c_i = f_i / Q
  /// and ∂f/∂d_j = −y (∂Q/∂d_j) / Q.
  Kernel<void(const ElementwiseProblem& f, std::span<const Tensor> parameters, const Tensor& saved,
              const Tensor& dy, Tensor& dx, std::span<Tensor> gradients)>
      elementwise_backward;
  /// y = f″(x) of the formula of that index.
  Kernel<void(int formula, const Tensor& x, const Tensor& constants, Tensor& y)> formula_curvature;

  // Functions of two elements, stretched to a common shape ---------------------------------------

  /// y = f(a, b), with a and b stretched to y's shape.
  Kernel<void(const arithmetic::Function& f, const Tensor& a, const Tensor& b, Tensor& y)>
      arithmetic_forward;
  /// The gradients of a and b, of those that are defined: summed over the axes along which the
  /// operand was stretched. An operand that f does not use for them may be undefined.
  Kernel<void(const arithmetic::Function& f, const Tensor& dy, const Tensor& a, const Tensor& b,
              Tensor& da, Tensor& db)>
      arithmetic_backward;
  /// y (uint8) = comparison(a, b), with a and b stretched to y's shape; b has a's dtype or float64.
  Kernel<void(const Comparison& comparison, const Tensor& a, const Tensor& b, Tensor& y)> compare;
  /// y = condition ? a : b, all stretched to y's shape.
  Kernel<void(const Tensor& condition, const Tensor& a, const Tensor& b, Tensor& y)> where_forward;
  /// dy where (condition != 0) == chosen, else 0, summed to the gradient's shape.
  Kernel<void(const Tensor& condition, bool chosen, const Tensor& dy, Tensor& gradient)>
      where_backward;

  // Reductions: `kept` is x's shape with extent 1 on the axes that are reduced; results hold
  // kept.size() elements, in any shape -----------------------------------------------------------

  /// y = Σ x / divisor.
  Kernel<void(const Tensor& x, const Shape& kept, double divisor, Tensor& y)> reduce_sum;
  /// dx = dy / divisor, stretched over the axes that were reduced.
  Kernel<void(const Tensor& dy, const Shape& kept, double divisor, Tensor& dx)> reduce_sum_backward;
  /// The maxima and, int32, their numbers among the elements that they were chosen from, in
  /// row-major order.
  Kernel<void(const Tensor& x, const Shape& kept, Tensor& y, Tensor& number)> reduce_max;
  /// dx = dy at the elements of these numbers, 0 elsewhere.
  Kernel<void(const Tensor& number, const Shape& kept, const Tensor& dy, Tensor& dx)>
      reduce_max_backward;

  // Products -------------------------------------------------------------------------------------

  /// C = op(A) · op(B), or C += op(A) · op(B), as the problem says.
  Kernel<void(const MatmulProblem& problem, const Tensor& a, const Tensor& b, Tensor& c)> matmul;
  /// y[n, o, i, j] = bias[o] + Σ weight[o, c, p, q] · x[n, first(o) + c, i·stride + p·dilation −
  /// padding, and so for the width], over all c, p, q; first(o) is the first channel of o's group,
  /// and `bias` may be undefined. x [N, C, H, W], weight [O, C/groups, KH, KW], y [N, O, H′, W′].
  Kernel<void(const Conv2dProblem& problem, const Tensor& x, const Tensor& weight,
              const Tensor& bias, Tensor& y)>
      conv2d_forward;
  /// dx: every dy[n, o, i, j] · weight[o, c, p, q] is added where that sum has read x.
  Kernel<void(const Conv2dProblem& problem, const Tensor& weight, const Tensor& dy, Tensor& dx)>
      conv2d_backward_data;
  /// dweight[o, c, p, q] = Σ dy[n, o, i, j] · the x that it was multiplied with, over n, i, j.
  Kernel<void(const Conv2dProblem& problem, const Tensor& x, const Tensor& dy, Tensor& dweight)>
      conv2d_backward_weight;
  /// dbias[o] = Σ dy[n, o, i, j].
  Kernel<void(const Tensor& dy, Tensor& dbias)> conv2d_backward_bias;

  // Pooling --------------------------------------------------------------------------------------

  /// y = the largest x of each window, and `winner` (int32, y's shape) its place in its plane.
  Kernel<void(const PoolProblem& problem, const Tensor& x, Tensor& y, Tensor& winner)>
      max_pool_forward;
  /// dx = Σ dy of the windows in which the element has won.
  Kernel<void(const PoolProblem& problem, const Tensor& dy, const Tensor& winner, Tensor& dx)>
      max_pool_backward;
  /// y = the mean of each window, of its pixels inside the image unless count_padding.
  Kernel<void(const PoolProblem& problem, const Tensor& x, Tensor& y)> avg_pool_forward;
  /// dx = Σ dy / count of the windows over the element.
  Kernel<void(const PoolProblem& problem, const Tensor& dy, Tensor& dx)> avg_pool_backward;

  // Batch normalisation: mean and inverse, 1/√(variance + eps), are float64 [C]; gamma, beta and
  // the running statistics may be undefined ------------------------------------------------------

  /// Of the batch; moves the running statistics.
  Kernel<void(const BatchNormProblem& problem, const Tensor& x, Tensor& mean, Tensor& inverse,
              Tensor& running_mean, Tensor& running_var)>
      batch_norm_statistics;
  /// From the running statistics.
  Kernel<void(const BatchNormProblem& problem, const Tensor& running_mean,
              const Tensor& running_var, Tensor& mean, Tensor& inverse)>
      batch_norm_running_statistics;
  /// y = (x − mean) · inverse · gamma + beta.
  Kernel<void(const BatchNormProblem& problem, const Tensor& x, const Tensor& mean,
              const Tensor& inverse, const Tensor& gamma, const Tensor& beta, Tensor& y)>
      batch_norm_apply;
  /// dgamma = Σ dy · (x − mean) · inverse and dbeta = Σ dy, and the same in float64: sums [2, C].
  Kernel<void(const BatchNormProblem& problem, const Tensor& dy, const Tensor& x,
              const Tensor& mean, const Tensor& inverse, Tensor& sums, Tensor& dgamma,
              Tensor& dbeta)>
      batch_norm_sums;
  /// dx = gamma · inverse · (dy − dbeta/count − (x − mean) · inverse · dgamma/count), or, when not
  /// training, gamma · inverse · dy.
  Kernel<void(const BatchNormProblem& problem, const Tensor& dy, const Tensor& x,
              const Tensor& mean, const Tensor& inverse, const Tensor& gamma, const Tensor& sums,
              Tensor& dx)>
      batch_norm_backward;

  /// y = f((x − mean) · inverse · gamma + beta) in one pass; null where it takes two.
  Kernel<void(const BatchNormProblem& problem, const ElementwiseProblem& f, const Tensor& x,
              const Tensor& mean, const Tensor& inverse, const Tensor& gamma, const Tensor& beta,
              std::span<const Tensor> parameters, Tensor& y)>
      norm_act_forward;
  /// The gradients of all that goes into it, as elementwise_backward and batch_norm_backward have
  /// them; where norm_act_forward is not null.
  Kernel<void(const BatchNormProblem& problem, const ElementwiseProblem& f, const Tensor& dy,
              const Tensor& x, const Tensor& mean, const Tensor& inverse, const Tensor& gamma,
              const Tensor& beta, std::span<const Tensor> parameters, Tensor& dx, Tensor& dgamma,
              Tensor& dbeta, std::span<Tensor> gradients)>
      norm_act_backward;

  // Classification -------------------------------------------------------------------------------

  /// y_k = exp(x_k) / Σ exp(x) of each line, or its logarithm.
  Kernel<void(const SoftmaxLines& lines, bool log, const Tensor& x, Tensor& y)> softmax_forward;
  /// dx_k = y_k (dy_k − Σ dy y), or, of the logarithm, dy_k − exp(y_k) Σ dy.
  Kernel<void(const SoftmaxLines& lines, bool log, const Tensor& y, const Tensor& dy, Tensor& dx)>
      softmax_backward;
  /// −Σ_k t_k · log_softmax(logits)_k of each row; t = 1 − ε at the label, and ε/K everywhere.
  Kernel<void(const CrossEntropyProblem& problem, const Tensor& logits, const Tensor& labels,
              Tensor& loss)>
      cross_entropy_forward;
  /// dlogits = dloss · (softmax(logits) − t), and over the number of rows for a mean.
  Kernel<void(const CrossEntropyProblem& problem, const Tensor& logits, const Tensor& labels,
              const Tensor& dloss, Tensor& dlogits)>
      cross_entropy_backward;

  // Images ---------------------------------------------------------------------------------------

  /// As core/ops/augment.h has it.
  Kernel<void(const Tensor& pixels, const Tensor& edits, const Tensor& levels, Tensor& images)>
      augment;

  // Optimisers: all parameters in one pass, by the formulas of core/kernels/math/update.h ---------

  /// `slots` is empty without momentum.
  Kernel<void(std::span<const UpdateTask<SgdUpdate>> tasks)> sgd_update;
  Kernel<void(std::span<const UpdateTask<AdamUpdate>> tasks)> adam_update;
  /// sum = Σ (factor · x)² over all elements, in float64, with a factor for each tensor; NaN where
  /// one with the factor 0 has an element that is not finite.
  Kernel<void(std::span<const Tensor> tensors, std::span<const double> factors, double& sum)>
      sum_of_squares;
  /// Every element becomes x · factor.
  Kernel<void(std::span<Tensor> tensors, double factor)> scale_all;
};

/// The kernels of the device where x is.
const Kernels& kernels_of(const Tensor& x);

}  // namespace pade
