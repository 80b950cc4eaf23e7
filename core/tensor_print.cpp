#include <algorithm>
#include <cmath>
#include <iomanip>
#include <ostream>
#include <type_traits>

#include <pade/core/tensor.h>
#include <pade/core/text_stream.h>

namespace pade {
namespace {

constexpr int64_t kAbbreviateFrom = 1000;  // elements
constexpr int64_t kEdge = 3;               // elements shown at each end of an abbreviated axis

template <class T>
std::string format(T value) {
  TextStream out;
  if constexpr (std::is_floating_point_v<T>) {
    out << std::setprecision(4) << value;
    const std::string text = out.str();
    const bool whole = text.find_first_of(".en") == std::string::npos;  // not 1.5, 1e9, inf, nan
    return whole ? text + '.' : text;
  } else {
    out << static_cast<int>(value);
    return out.str();
  }
}

template <class T>
class Printer {
 public:
  Printer(std::ostream& out, const Tensor& tensor)
      : out_(out),
        shape_(tensor.shape()),
        values_(tensor.data<T>()),
        abbreviate_(tensor.size() > kAbbreviateFrom) {
    for_each_shown(0, 0, [&](int64_t i) { width_ = std::max(width_, format(values_[i]).size()); });
  }

  void print(int axis, int64_t first) {
    if (axis == shape_.rank()) {
      out_ << std::setw(static_cast<int>(width_)) << format(values_[first]);
      return;
    }
    const int64_t stride = shape_.size_from(axis + 1);
    out_ << '[';
    for (int64_t i = 0; i < shape_[axis]; ++i) {
      if (i > 0) separate(axis);
      if (skips(axis, i)) {
        out_ << "...";
        i = shape_[axis] - kEdge - 1;
        continue;
      }
      print(axis + 1, first + i * stride);
    }
    out_ << ']';
  }

 private:
  bool skips(int axis, int64_t i) const {
    return abbreviate_ && shape_[axis] > 2 * kEdge && i == kEdge;
  }

  template <class F>
  void for_each_shown(int axis, int64_t first, F&& f) {
    if (axis == shape_.rank()) return f(first);
    const int64_t stride = shape_.size_from(axis + 1);
    for (int64_t i = 0; i < shape_[axis]; ++i) {
      if (skips(axis, i)) i = shape_[axis] - kEdge;
      for_each_shown(axis + 1, first + i * stride, f);
    }
  }

  /// Innermost elements stand on one line; matrices and above on lines of their own.
  void separate(int axis) {
    const int below = shape_.rank() - 1 - axis;
    if (below == 0) {
      out_ << ", ";
      return;
    }
    out_ << ',' << std::string(static_cast<size_t>(below), '\n')
         << std::string(static_cast<size_t>(axis) + 1, ' ');
  }

  std::ostream& out_;
  const Shape shape_;
  const T* values_;
  bool abbreviate_;
  size_t width_ = 0;
};

}  // namespace

std::ostream& operator<<(std::ostream& out, const Tensor& tensor) {
  if (!tensor.defined()) return out << "(undefined tensor)";
  const Tensor on_cpu = tensor.detach().to(Device::cpu);
  TextStream text;
  dispatch(tensor.dtype(), [&](auto zero) { Printer<decltype(zero)>(text, on_cpu).print(0, 0); });
  text << "\n(" << tensor.shape() << ' ' << tensor.dtype() << (tensor.on_cuda() ? ", cuda)" : ")");
  return out << text.str();
}

}  // namespace pade
