#include <pade/core/ops/strided_copy_kernels.h>

namespace pade {

std::vector<CopyAxis> box_axes(const Shape& box, const Shape& from, const Shape& to) {
  std::vector<CopyAxis> axes;
  for (int axis = 0; axis < box.rank(); ++axis)
    axes.push_back({box[axis], from.size_from(axis + 1), to.size_from(axis + 1)});
  return axes;
}

}  // namespace pade
