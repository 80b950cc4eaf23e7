#include <pade/core/kernels/kernels.h>
#include <pade/core/ops/strided_copy.h>

namespace pade {

std::vector<CopyAxis> box_axes(const Shape& box, const Shape& from, const Shape& to) {
  std::vector<CopyAxis> axes;
  for (int axis = 0; axis < box.rank(); ++axis)
    axes.push_back({box[axis], from.size_from(axis + 1), to.size_from(axis + 1)});
  return axes;
}

void strided_copy(const std::vector<CopyAxis>& axes, const Tensor& from, int64_t from_offset,
                  Tensor& to, int64_t to_offset) {
  kernels_of(to).strided_copy(axes, from, from_offset, to, to_offset);
}

}  // namespace pade
