#include <pade/core/error.h>
#include <pade/core/text_stream.h>
#include <pade/layers/conv.h>

namespace pade {

Conv2d::Conv2d(int64_t in, int64_t out, Conv2dLayerOptions options)
    : options_{options.stride, options.padding, options.dilation, options.groups} {
  check(in >= 1 && out >= 1 && options.groups >= 1 && in % options.groups == 0 &&
            out % options.groups == 0,
        "Conv2d: ", in, " and ", out, " channels cannot be cut into ", options.groups, " groups");
  check(options.kernel.h >= 1 && options.kernel.w >= 1, "Conv2d: the kernel must be at least 1×1");
  Rng rng = next_stream("init");
  weight =
      initial_weight(options.init, {out, in / options.groups, options.kernel.h, options.kernel.w},
                     rng, options.groups);
  if (options.bias) bias = initial_bias(options.init, weight.shape(), rng);
}

Conv2d::Conv2d(int64_t in, int64_t out, int64_t kernel, Conv2dLayerOptions options)
    : Conv2d(in, out, [&] {
        options.kernel = kernel;
        return options;
      }()) {}

void Conv2d::visit(ModuleVisitor& visitor) {
  visitor.parameter("weight", weight);
  visitor.parameter("bias", bias);
}

std::string Conv2d::description() const {
  TextStream out;
  auto option = [&](const char* name, Size2 value, int64_t usual) {
    if (value.h == usual && value.w == usual) return;
    out << ", " << name << '=' << value.h;
    if (value.w != value.h) out << "x" << value.w;
  };
  out << "Conv2d(" << weight.extent(1) * options_.groups << ", " << weight.extent(0);
  option("kernel", {weight.extent(2), weight.extent(3)}, 0);
  option("stride", options_.stride, 1);
  option("padding", options_.padding, 0);
  option("dilation", options_.dilation, 1);
  if (options_.groups != 1) out << ", groups=" << options_.groups;
  out << (bias.defined() ? ")" : ", no bias)");
  return out.str();
}

Tensor Conv2d::forward(const Tensor& x) { return conv2d(x, weight, bias, options_); }

}  // namespace pade
