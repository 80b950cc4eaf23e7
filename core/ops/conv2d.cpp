#include <atomic>

#include <pade/core/error.h>
#include <pade/core/kernels/kernels.h>
#include <pade/core/numbers.h>
#include <pade/core/ops/conv2d.h>
#include <pade/core/ops/operands.h>
#include <pade/core/tape.h>

namespace pade {
namespace {

std::atomic<bool> winograd = true;

Conv2dProblem make_problem(const Tensor& x, const Tensor& weight, const Tensor& bias,
                           const Conv2dOptions& options) {
  check_floating("conv2d", {"input", x});
  check_same_kind("conv2d", {"input", x}, {"weight", weight});
  check(x.rank() == 4 && weight.rank() == 4,
        "conv2d: expected input [N, C, H, W] and weight [O, C/groups, KH, KW], got input ",
        x.shape(), " and weight ", weight.shape());
  const int64_t channels = x.extent(1), out = weight.extent(0), groups = options.groups;
  check(groups >= 1 && channels % groups == 0 && out % groups == 0, "conv2d: ", channels,
        " input channels and ", out, " output channels cannot be cut into ", groups,
        " groups (input ", x.shape(), ", weight ", weight.shape(), ")");
  check(channels / groups == weight.extent(1), "conv2d: input has ",
        counted(channels / groups, "channel"), groups > 1 ? " per group" : "", ", weight expects ",
        weight.extent(1), " (input ", x.shape(), ", weight ", weight.shape(), ")");
  if (bias.defined()) check_vector("conv2d", {"weight", weight}, {"bias", bias}, out);
  const Size2 image{x.extent(2), x.extent(3)}, kernel{weight.extent(2), weight.extent(3)};
  const Window window{kernel, options.stride, options.padding, options.dilation};
  const Size2 output = count_windows("conv2d", image, window);
  return {x.extent(0), channels, out, groups, image, output, window, winograd_allowed()};
}

}  // namespace

void allow_winograd(bool allowed) { winograd = allowed; }
bool winograd_allowed() { return winograd; }

Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, Conv2dOptions options) {
  const Conv2dProblem p = make_problem(x, weight, bias, options);
  Tensor y = empty_beside(x, {p.images, p.out_channels, p.output.h, p.output.w});
  kernels_of(x).conv2d_forward(p, x, weight, bias, y);
  const Tensor nothing;  // x and weight are each needed for the other one's gradient only
  record("conv2d", {&x, &weight, &bias}, y,
         {weight.requires_grad() ? &x : &nothing, x.requires_grad() ? &weight : &nothing},
         [p, of_x = x.shape(), of_weight = weight.shape()](Gradients& gradients) {
           const Tensor& dy = gradients.of_output();
           const Kernels& kernels = kernels_of(dy);
           gradients.set_computed(0, of_x, [&](Tensor& dx) {
             kernels.conv2d_backward_data(p, gradients.saved(1), dy, dx);
           });
           gradients.set_computed(1, of_weight, [&](Tensor& dweight) {
             kernels.conv2d_backward_weight(p, gradients.saved(0), dy, dweight);
           });
           gradients.set_computed(2, {p.out_channels},
                                  [&](Tensor& dbias) { kernels.conv2d_backward_bias(dy, dbias); });
         });
  return y;
}

}  // namespace pade
