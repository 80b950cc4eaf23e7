// Elements that are stretched, summed or moved.

#include <variant>

#include <pade/core/kernels/math/reduce.h>
#include <pade/core/kernels/reference/values.h>

namespace pade::reference {
namespace {

void copy_axes(const CopyAxis* axis, const CopyAxis* end, const double* from, double* to) {
  if (axis == end) {
    *to = *from;
    return;
  }
  for (int64_t i = 0; i < axis->extent; ++i)
    copy_axes(axis + 1, end, from + i * axis->from_stride, to + i * axis->to_stride);
}

void strided_copy(const std::vector<CopyAxis>& axes, const Tensor& from, int64_t from_offset,
                  Tensor& to, int64_t to_offset) {
  Values results = values(to);
  copy_axes(axes.data(), axes.data() + axes.size(), values(from).data() + from_offset,
            results.data() + to_offset);
  store(results, to);
}

void arithmetic_forward(const arithmetic::Function& function, const Tensor& a, const Tensor& b,
                        Tensor& y) {
  dispatch(y.dtype(), [&]<class T>(T) {  // sums of int32 wrap around
    T* out = y.mutable_data<T>();
    for_each_index(y.shape(), [&](const Index& index, int64_t i) {
      const T left = a.data<T>()[stretched(a.shape(), index)];
      const T right = b.data<T>()[stretched(b.shape(), index)];
      out[i] = std::visit([&](const auto& f) { return f.value(left, right); }, function);
    });
  });
}

void arithmetic_backward(const arithmetic::Function& function, const Tensor& dy, const Tensor& a,
                         const Tensor& b, Tensor& da, Tensor& db) {
  const Values dys = values(dy), of_a = values(a), of_b = values(b);
  Values sums_a(da.defined() ? da.size() : 0, 0), sums_b(db.defined() ? db.size() : 0, 0);
  for_each_index(dy.shape(), [&](const Index& index, int64_t i) {
    const double left = a.defined() ? of_a[stretched(a.shape(), index)] : 0;
    const double right = b.defined() ? of_b[stretched(b.shape(), index)] : 0;
    const auto add = [&](const auto& f) {
      if (da.defined()) sums_a[stretched(da.shape(), index)] += f.gradient_a(dys[i], left, right);
      if (db.defined()) sums_b[stretched(db.shape(), index)] += f.gradient_b(dys[i], left, right);
    };
    std::visit(add, function);
  });
  if (da.defined()) store(sums_a, da);
  if (db.defined()) store(sums_b, db);
}

void compare(const Comparison& comparison, const Tensor& a, const Tensor& b, Tensor& y) {
  const Values of_a = values(a), of_b = values(b);
  Values results(y.size());
  for_each_index(y.shape(), [&](const Index& index, int64_t i) {
    const double left = of_a[stretched(a.shape(), index)];
    const double right = of_b[stretched(b.shape(), index)];
    results[i] = std::visit([&](const auto& f) { return f(left, right); }, comparison);
  });
  store(results, y);
}

void where_forward(const Tensor& condition, const Tensor& a, const Tensor& b, Tensor& y) {
  const Values conditions = values(condition), of_a = values(a), of_b = values(b);
  Values results(y.size());
  for_each_index(y.shape(), [&](const Index& index, int64_t i) {
    results[i] = conditions[stretched(condition.shape(), index)] != 0
                     ? of_a[stretched(a.shape(), index)]
                     : of_b[stretched(b.shape(), index)];
  });
  store(results, y);
}

void where_backward(const Tensor& condition, bool chosen, const Tensor& dy, Tensor& gradient) {
  const Values conditions = values(condition), dys = values(dy);
  Values sums(gradient.size(), 0);
  for_each_index(dy.shape(), [&](const Index& index, int64_t i) {
    if ((conditions[stretched(condition.shape(), index)] != 0) == chosen)
      sums[stretched(gradient.shape(), index)] += dys[i];
  });
  store(sums, gradient);
}

void reduce_sum(const Tensor& x, const Shape& kept, double divisor, Tensor& y) {
  const Values in = values(x);
  Values sums(y.size(), 0);
  for_each_index(x.shape(),
                 [&](const Index& index, int64_t i) { sums[stretched(kept, index)] += in[i]; });
  for (double& sum : sums) sum /= divisor;
  store(sums, y);
}

void reduce_sum_backward(const Tensor& dy, const Shape& kept, double divisor, Tensor& dx) {
  const Values dys = values(dy);
  Values results(dx.size());
  for_each_index(dx.shape(), [&](const Index& index, int64_t i) {
    results[i] = dys[stretched(kept, index)] / divisor;
  });
  store(results, dx);
}

void reduce_max(const Tensor& x, const Shape& kept, Tensor& y, Tensor& number) {
  const Values in = values(x);
  Values best(y.size()), numbers(y.size()), seen(y.size(), 0);
  for_each_index(x.shape(), [&](const Index& index, int64_t i) {
    const int64_t to = stretched(kept, index);
    if (seen[to] == 0 || is_above(in[i], best[to])) best[to] = in[i], numbers[to] = seen[to];
    ++seen[to];
  });
  store(best, y);
  store(numbers, number);
}

void reduce_max_backward(const Tensor& number, const Shape& kept, const Tensor& dy, Tensor& dx) {
  const Values numbers = values(number), dys = values(dy);
  Values results(dx.size()), seen(dys.size(), 0);
  for_each_index(dx.shape(), [&](const Index& index, int64_t i) {
    const int64_t from = stretched(kept, index);
    results[i] = seen[from]++ == numbers[from] ? dys[from] : 0;
  });
  store(results, dx);
}

}  // namespace

void add_shapes(Kernels& kernels) {
  kernels.strided_copy = strided_copy;
  kernels.arithmetic_forward = arithmetic_forward;
  kernels.arithmetic_backward = arithmetic_backward;
  kernels.compare = compare;
  kernels.where_forward = where_forward;
  kernels.where_backward = where_backward;
  kernels.reduce_sum = reduce_sum;
  kernels.reduce_sum_backward = reduce_sum_backward;
  kernels.reduce_max = reduce_max;
  kernels.reduce_max_backward = reduce_max_backward;
}

}  // namespace pade::reference
