#pragma once

#include <cstdint>
#include <span>
#include <type_traits>
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
  void operator=(void (*function)(Arguments...)) { function_ = function; }
  /// A lambda without captures, whose parameters may be what the arguments convert to.
  template <class Function>
  requires std::is_empty_v<Function>
  void operator=(Function) {
    function_ = [](Arguments... arguments) { Function()(arguments...); };
  }
  explicit operator bool() const { return function_ != nullptr; }
  void operator()(Arguments... arguments) const {
    check(function_ != nullptr, "this operation is not implemented on this device yet");
    bad_alloc_as_error([&] { function_(arguments...); });
  }

 private:
  void (*function_)(Arguments...) = nullptr;
};

/// All that a device must be able to do. An op checks its arguments, makes the result, and calls
/// one of these: kernels_of(x).conv2d_forward(problem, x, weight, bias, y). All tensors of a call
/// are on that device, have the shapes and dtypes that the op's header names, and results are not
/// initialised, unless it is said that they are added to. `dy` is the gradient of y, and so on.
struct Kernels {
  using In = const Tensor&;
  using Out = Tensor&;

  // Elements of a tensor -------------------------------------------------------------------------

  /// Every element becomes `value`, converted.
  Kernel<void(Out tensor, double value)> fill;
  /// to = from, converted; of one shape and two dtypes.
  Kernel<void(In from, Out to)> convert;
  /// to += alpha · other, of one floating dtype.
  Kernel<void(Out to, In other, double alpha)> add_scaled;
  /// Every element of every tensor, of floating dtypes, becomes x · factor.
  Kernel<void(std::span<Tensor> tensors, double factor)> scale;
  /// to[to_offset + Σ i_k · to_stride_k] = from[from_offset + Σ i_k · from_stride_k] at every index
  /// i of the axes. A stride of `from` may be 0; no element of `to` is named twice, and what is not
  /// named keeps its value. Any dtype, the same on both sides.
  Kernel<void(const std::vector<CopyAxis>&, In from, int64_t from_offset, Out to,
              int64_t to_offset)>
      strided_copy;

  // Random numbers, from the blocks of `rng` from where it stands; the caller moves it on ---------

  Kernel<void(const Rng& rng, double low, double high, Out tensor)> fill_uniform;
  Kernel<void(const Rng& rng, double mean, double deviation, Out tensor)> fill_normal;
  /// y = x / (1 − probability) where `rng` keeps the element, 0 elsewhere. The gradient is the same
  /// function of dy, given the same position of the generator.
  Kernel<void(In x, double probability, const Rng& rng, Out y)> dropout;

  // Functions of one element ---------------------------------------------------------------------

  /// y = f(x; parameters). A formula is one of core/kernels/math/formula.h; a rational function is
  /// P(x) / Q(x), P = Σ c_i f_i(x) with the numerator's c, and Q of the denominator's d as the form
  /// says (core/rational_form.h).
  Kernel<void(const ElementwiseProblem& f, std::span<const Tensor> parameters, In x, Out y)>
      elementwise_forward;
  /// dx = dy · f′ at x, or where f saves its value, by y; and unless `gradients` is empty, those of
  /// the parameters, Σ dy ∂f/∂θ. Of a rational function: f′ = (P′ − y Q′) / Q, ∂f/∂c_i = f_i / Q
  /// and ∂f/∂d_j = −y (∂Q/∂d_j) / Q.
  Kernel<void(const ElementwiseProblem& f, std::span<const Tensor> parameters, In saved, In dy,
              Out dx, std::span<Tensor> gradients)>
      elementwise_backward;

  // Functions of two elements, stretched to a common shape ---------------------------------------

  /// y = f(a, b), with a and b stretched to y's shape.
  Kernel<void(const arithmetic::Function& f, In a, In b, Out y)> arithmetic_forward;
  /// The gradients of a and b, of those that are defined: summed over the axes along which the
  /// operand was stretched. An operand that f does not use for them may be undefined.
  Kernel<void(const arithmetic::Function& f, In dy, In a, In b, Out da, Out db)>
      arithmetic_backward;
  /// y (uint8) = comparison(a, b), with a and b stretched to y's shape; b has a's dtype or float64.
  Kernel<void(const Comparison&, In a, In b, Out y)> compare;
  /// y = condition ? a : b, all stretched to y's shape.
  Kernel<void(In condition, In a, In b, Out y)> where_forward;
  /// dy where (condition != 0) == chosen, else 0, summed to the gradient's shape.
  Kernel<void(In condition, bool chosen, In dy, Out gradient)> where_backward;

  // Reductions: `kept` is x's shape with extent 1 on the axes that are reduced; results hold
  // kept.size() elements, in any shape -----------------------------------------------------------

  /// y = Σ x / divisor.
  Kernel<void(In x, const Shape& kept, double divisor, Out y)> reduce_sum;
  /// The maxima and, int32, their numbers among the elements that they were chosen from, in
  /// row-major order.
  Kernel<void(In x, const Shape& kept, Out y, Out number)> reduce_max;
  /// dx, which is 0 so far, becomes dy at the elements of these numbers.
  Kernel<void(In number, const Shape& kept, In dy, Out dx)> reduce_max_backward;

  // Products -------------------------------------------------------------------------------------

  /// C = op(A) · op(B), or C += op(A) · op(B), as the problem says.
  Kernel<void(const MatmulProblem&, In a, In b, Out c)> matmul;
  /// y[n, o, i, j] = bias[o] + Σ weight[o, c, p, q] · x[n, first(o) + c, i·stride + p·dilation −
  /// padding, and so for the width], over all c, p, q; first(o) is the first channel of o's group,
  /// and `bias` may be undefined. x [N, C, H, W], weight [O, C/groups, KH, KW], y [N, O, H′, W′].
  Kernel<void(const Conv2dProblem&, In x, In weight, In bias, Out y)> conv2d_forward;
  /// dx: every dy[n, o, i, j] · weight[o, c, p, q] is added where that sum has read x.
  Kernel<void(const Conv2dProblem&, In weight, In dy, Out dx)> conv2d_backward_data;
  /// dweight[o, c, p, q] = Σ dy[n, o, i, j] · the x that it was multiplied with, over n, i, j.
  Kernel<void(const Conv2dProblem&, In x, In dy, Out dweight)> conv2d_backward_weight;
  /// dbias[o] = Σ dy[n, o, i, j].
  Kernel<void(In dy, Out dbias)> conv2d_backward_bias;

  // Pooling --------------------------------------------------------------------------------------

  /// y = the largest x of each window, and `winner` (int32, y's shape) its place in its plane.
  Kernel<void(const PoolProblem&, In x, Out y, Out winner)> max_pool_forward;
  /// dx = Σ dy of the windows in which the element has won.
  Kernel<void(const PoolProblem&, In dy, In winner, Out dx)> max_pool_backward;
  /// y = the mean of each window, of its pixels inside the image unless count_padding.
  Kernel<void(const PoolProblem&, In x, Out y)> avg_pool_forward;
  /// dx = Σ dy / count of the windows over the element.
  Kernel<void(const PoolProblem&, In dy, Out dx)> avg_pool_backward;

  // Batch normalisation: mean and inverse, 1/√(variance + eps), are float64 [C]; gamma, beta and
  // the running statistics may be undefined ------------------------------------------------------

  /// Of the batch, which moves the running statistics, or, when not training, from these.
  Kernel<void(const BatchNormProblem&, In x, Out mean, Out inverse, Out running_mean,
              Out running_var)>
      batch_norm_statistics;
  /// y = (x − mean) · inverse · gamma + beta.
  Kernel<void(const BatchNormProblem&, In x, In mean, In inverse, In gamma, In beta, Out y)>
      batch_norm_apply;
  /// dgamma = Σ dy · (x − mean) · inverse and dbeta = Σ dy; and unless dx is undefined,
  /// dx = gamma · inverse · (dy − dbeta/count − (x − mean) · inverse · dgamma/count), or, when not
  /// training, gamma · inverse · dy.
  Kernel<void(const BatchNormProblem&, In dy, In x, In mean, In inverse, In gamma, Out dx,
              Out dgamma, Out dbeta)>
      batch_norm_backward;

  /// y = f((x − mean) · inverse · gamma + beta) in one pass; null where it takes two.
  Kernel<void(const BatchNormProblem&, const ElementwiseProblem& f, In x, In mean, In inverse,
              In gamma, In beta, std::span<const Tensor> parameters, Out y)>
      norm_act_forward;
  /// The gradients of all that goes into it, as elementwise_backward and batch_norm_backward have
  /// them; where norm_act_forward is not null.
  Kernel<void(const BatchNormProblem&, const ElementwiseProblem& f, In dy, In x, In mean,
              In inverse, In gamma, In beta, std::span<const Tensor> parameters, Out dx, Out dgamma,
              Out dbeta, std::span<Tensor> gradients)>
      norm_act_backward;

  // Classification -------------------------------------------------------------------------------

  /// y_k = exp(x_k) / Σ exp(x) of each line, or its logarithm.
  Kernel<void(const SoftmaxLines&, bool log, In x, Out y)> softmax_forward;
  /// dx_k = y_k (dy_k − Σ dy y), or, of the logarithm, dy_k − exp(y_k) Σ dy.
  Kernel<void(const SoftmaxLines&, bool log, In y, In dy, Out dx)> softmax_backward;
  /// −Σ_k t_k · log_softmax(logits)_k of each row; t = 1 − ε at the label, and ε/K everywhere.
  Kernel<void(const CrossEntropyProblem&, In logits, In labels, Out loss)> cross_entropy_forward;
  /// dlogits = dloss · (softmax(logits) − t), and over the number of rows for a mean.
  Kernel<void(const CrossEntropyProblem&, In logits, In labels, In dloss, Out dlogits)>
      cross_entropy_backward;

  // Images ---------------------------------------------------------------------------------------

  /// As core/ops/augment.h has it.
  Kernel<void(In pixels, In edits, In levels, Out images)> augment;

  // Optimisers: all parameters in one pass, by the formulas of core/kernels/math/update.h ---------

  /// `slots` is empty without momentum.
  Kernel<void(std::span<const UpdateTask<SgdUpdate>> tasks)> sgd_update;
  Kernel<void(std::span<const UpdateTask<AdamUpdate>> tasks)> adam_update;
  /// sum = Σ (factor · x)² over all elements, in float64, with a factor for each tensor; NaN where
  /// one with the factor 0 has an element that is not finite.
  Kernel<void(std::span<const Tensor> tensors, std::span<const double> factors, double& sum)>
      sum_of_squares;
};

/// The kernels of the device where x is, or on the CPU the plain loops where they were chosen
/// (core/kernel_choice.h).
const Kernels& kernels_of(const Tensor& x);

// What it chooses from; cuda's where kHasCuda.
namespace cpu {
const Kernels& kernels();
}
namespace cuda {
const Kernels& kernels();
}
namespace reference {
const Kernels& kernels();
}

}  // namespace pade
