
#include <pade/core/ops/pool.h>
#include <pade/core/text_stream.h>
#include <pade/layers/pool.h>

namespace pade {
namespace {

std::string describe(const char* name, Size2 kernel, Size2 stride, Size2 padding) {
  TextStream out;
  auto size = [&](Size2 value) {
    out << value.h;
    if (value.w != value.h) out << 'x' << value.w;
  };
  out << name << '(';
  size(kernel);
  if (stride.h != kernel.h || stride.w != kernel.w) out << ", stride=", size(stride);
  if (padding.h != 0 || padding.w != 0) out << ", padding=", size(padding);
  out << ')';
  return out.str();
}

}  // namespace

MaxPool2d::MaxPool2d(Size2 kernel, Pool2dLayerOptions options)
    : kernel_(kernel), stride_(options.stride.value_or(kernel)), padding_(options.padding) {}

std::string MaxPool2d::description() const {
  return describe("MaxPool2d", kernel_, stride_, padding_);
}

Tensor MaxPool2d::forward(const Tensor& x) { return max_pool2d(x, kernel_, stride_, padding_); }

AvgPool2d::AvgPool2d(Size2 kernel, Pool2dLayerOptions options)
    : kernel_(kernel), stride_(options.stride.value_or(kernel)), padding_(options.padding) {}

std::string AvgPool2d::description() const {
  return describe("AvgPool2d", kernel_, stride_, padding_);
}

Tensor AvgPool2d::forward(const Tensor& x) { return avg_pool2d(x, kernel_, stride_, padding_); }

Tensor GlobalAvgPool2d::forward(const Tensor& x) { return global_avg_pool2d(x); }

}  // namespace pade
