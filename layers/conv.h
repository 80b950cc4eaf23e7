#pragma once

#include <string>

#include <pade/core/ops/conv2d.h>
#include <pade/layers/init.h>
#include <pade/layers/module.h>

namespace pade {

struct Conv2dLayerOptions {
  Size2 kernel = 1;
  Size2 stride = 1;
  Size2 padding = 0;
  Size2 dilation = 1;
  int64_t groups = 1;  ///< both channel counts must be multiples of it
  bool bias = true;
  Init init = Init::pytorch;
};

/// Convolution of images: [N, in, H, W] → [N, out, H', W'], H' = (H + 2·padding − dilation·(kernel
/// − 1) − 1) / stride + 1. weight [out, in/groups, kernel.h, kernel.w], bias [out].
class Conv2d : public Module {
 public:
  Conv2d(int64_t in, int64_t out, Conv2dLayerOptions options = {});
  /// Conv2d(1, 6, 5) and Conv2d(1, 6, 5, {.padding = 2}): with this kernel, and the other options.
  Conv2d(int64_t in, int64_t out, int64_t kernel, Conv2dLayerOptions options = {});

  void visit(ModuleVisitor& visitor) override;
  std::string description() const override;
  const Conv2dOptions& options() const { return options_; }

  Tensor weight, bias;  ///< bias is undefined when there is none

 protected:
  Tensor forward(const Tensor& x) override;

 private:
  Conv2dOptions options_;
};

}  // namespace pade
