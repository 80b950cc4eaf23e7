#include <pade/core/text_stream.h>
#include <pade/layers/pool.h>

namespace pade {

Pool2d::Pool2d(const char* type, Size2 kernel, const Pool2dLayerOptions& options)
    : type_(type),
      kernel_(kernel),
      stride_(options.stride.value_or(kernel)),
      padding_(options.padding) {}

std::string Pool2d::description() const {
  TextStream out;
  const auto size = [&](const char* before, Size2 value) {
    out << before << value.h;
    if (value.w != value.h) out << 'x' << value.w;
  };
  out << type_;
  size("(", kernel_);
  if (stride_ != kernel_) size(", stride=", stride_);
  if (padding_ != 0) size(", padding=", padding_);
  out << ')';
  return out.str();
}

}  // namespace pade
