#pragma once

#include <optional>
#include <string>

#include <pade/core/ops/pool.h>
#include <pade/layers/module.h>

namespace pade {

struct Pool2dLayerOptions {
  std::optional<Size2> stride = {};  ///< the kernel's size when not given
  Size2 padding = 0;
};

/// What MaxPool2d and AvgPool2d share.
class Pool2d : public Module {
 public:
  std::string description() const override;
  Size2 kernel() const { return kernel_; }
  Size2 stride() const { return stride_; }
  Size2 padding() const { return padding_; }

 protected:
  Pool2d(const char* type, Size2 kernel, const Pool2dLayerOptions& options);

  const char* type_;
  Size2 kernel_, stride_, padding_;
};

/// The largest value of each window.
struct MaxPool2d : Pool2d {
  explicit MaxPool2d(Size2 kernel, Pool2dLayerOptions options = {})
      : Pool2d("MaxPool2d", kernel, options) {}

 protected:
  Tensor forward(const Tensor& x) override { return max_pool2d(x, kernel_, stride_, padding_); }
};

/// The mean of each window; padding counts as zeros.
struct AvgPool2d : Pool2d {
  explicit AvgPool2d(Size2 kernel, Pool2dLayerOptions options = {})
      : Pool2d("AvgPool2d", kernel, options) {}

 protected:
  Tensor forward(const Tensor& x) override { return avg_pool2d(x, kernel_, stride_, padding_); }
};

/// The mean of each channel: [N, C, H, W] → [N, C, 1, 1].
struct GlobalAvgPool2d : Module {
  std::string description() const override { return "GlobalAvgPool2d"; }

 protected:
  Tensor forward(const Tensor& x) override { return global_avg_pool2d(x); }
};

}  // namespace pade
