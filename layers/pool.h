#pragma once

#include <optional>
#include <string>

#include <pade/core/size2.h>
#include <pade/layers/module.h>

namespace pade {

struct Pool2dLayerOptions {
  std::optional<Size2> stride = {};  ///< the kernel's size when not given
  Size2 padding = 0;
};

/// The largest value of each window.
class MaxPool2d : public Module {
 public:
  explicit MaxPool2d(Size2 kernel, Pool2dLayerOptions options = {});
  std::string description() const override;

 protected:
  Tensor forward(const Tensor& x) override;

 private:
  Size2 kernel_, stride_, padding_;
};

/// The mean of each window; padding counts as zeros.
class AvgPool2d : public Module {
 public:
  explicit AvgPool2d(Size2 kernel, Pool2dLayerOptions options = {});
  std::string description() const override;

 protected:
  Tensor forward(const Tensor& x) override;

 private:
  Size2 kernel_, stride_, padding_;
};

/// The mean of each channel: [N, C, H, W] → [N, C, 1, 1].
class GlobalAvgPool2d : public Module {
 public:
  std::string description() const override { return "GlobalAvgPool2d"; }

 protected:
  Tensor forward(const Tensor& x) override;
};

}  // namespace pade
