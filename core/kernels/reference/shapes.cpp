// Elements that are stretched, summed or moved.

#include <span>
#include <variant>
#include <vector>

#include <pade/core/kernels/math/reduce.h>
#include <pade/core/kernels/reference/array.h>

namespace pade::reference {
namespace {

void copy_along(std::span<const CopyAxis> axes, const Array& from, int64_t from_position,
                Result& to, int64_t to_position) {
  if (axes.empty()) {
    to[to_position] = from[from_position];
    return;
  }
  for (int64_t i = 0; i < axes[0].extent; ++i)
    copy_along(axes.subspan(1), from, from_position + i * axes[0].from_stride, to,
               to_position + i * axes[0].to_stride);
}

void strided_copy(const std::vector<CopyAxis>& axes, const Array& from, int64_t from_offset,
                  Updated to, int64_t to_offset) {
  copy_along(axes, from, from_offset, to, to_offset);
}

void arithmetic_forward(const arithmetic::Function& function, const Tensor& a, const Tensor& b,
                        Tensor& y) {
  dispatch(y.dtype(), [&]<class T>(T) {  // sums of int32 wrap around
    T* out = y.mutable_data<T>();
    for_each_index(y.shape(), [&](const Index& i) {
      const T of_a = a.data<T>()[position_in(a.shape(), i)];
      const T of_b = b.data<T>()[position_in(b.shape(), i)];
      *out++ = std::visit([&](const auto& f) { return f.value(of_a, of_b); }, function);
    });
  });
}

void arithmetic_backward(const arithmetic::Function& function, const Array& dy, const Array& a,
                         const Array& b, Tensor& of_a, Tensor& of_b) {
  Result da(of_a), db(of_b);
  for_each_index(dy.shape(), [&](const Index& i) {
    const double at_a = a.size() > 0 ? a(i) : 0, at_b = b.size() > 0 ? b(i) : 0;
    const auto add = [&](const auto& f) {
      if (of_a.defined()) da(i) += f.gradient_a(dy(i), at_a, at_b);
      if (of_b.defined()) db(i) += f.gradient_b(dy(i), at_a, at_b);
    };
    std::visit(add, function);
  });
}

void compare(const Comparison& comparison, const Array& a, const Array& b, Result y) {
  for_each_index(y.shape(), [&](const Index& i) {
    y(i) = std::visit([&](const auto& f) { return f(a(i), b(i)); }, comparison);
  });
}

void where_forward(const Array& condition, const Array& a, const Array& b, Result y) {
  for_each_index(y.shape(), [&](const Index& i) { y(i) = condition(i) != 0 ? a(i) : b(i); });
}

void where_backward(const Array& condition, bool chosen, const Array& dy, Result gradient) {
  for_each_index(dy.shape(), [&](const Index& i) {
    if ((condition(i) != 0) == chosen) gradient(i) += dy(i);
  });
}

void reduce_sum(const Array& x, const Shape& kept, double divisor, Result y) {
  y.reshape(kept);
  for_each_index(x.shape(), [&](const Index& i) { y(i) += x(i); });
  for (int64_t i = 0; i < y.size(); ++i) y[i] /= divisor;
}

void reduce_max(const Array& x, const Shape& kept, Result y, Result number) {
  y.reshape(kept);
  number.reshape(kept);
  std::vector<int64_t> seen(kept.size(), 0);
  for_each_index(x.shape(), [&](const Index& i) {
    int64_t& count = seen[position_in(kept, i)];
    if (count == 0 || is_above(x(i), y(i))) {
      y(i) = x(i);
      number(i) = static_cast<double>(count);
    }
    ++count;
  });
}

void reduce_max_backward(const Array& number, const Shape& kept, const Array& dy, Result dx) {
  std::vector<int64_t> seen(kept.size(), 0);
  for_each_index(dx.shape(), [&](const Index& i) {
    const int64_t from = position_in(kept, i);
    if (static_cast<double>(seen[from]++) == number[from]) dx(i) = dy[from];
  });
}

}  // namespace

void add_shapes(Kernels& kernels) {
  define<strided_copy>(kernels.strided_copy);
  define<arithmetic_forward>(kernels.arithmetic_forward);
  define<arithmetic_backward>(kernels.arithmetic_backward);
  define<compare>(kernels.compare);
  define<where_forward>(kernels.where_forward);
  define<where_backward>(kernels.where_backward);
  define<reduce_sum>(kernels.reduce_sum);
  define<reduce_max>(kernels.reduce_max);
  define<reduce_max_backward>(kernels.reduce_max_backward);
}

}  // namespace pade::reference
