#include <algorithm>

#include <pade/core/kernels/cpu/augment.h>
#include <pade/core/kernels/kernels.h>
#include <pade/core/kernels/math/augment.h>
#include <pade/core/parallel.h>

namespace pade::cpu {
namespace {

void erase(const PixelBox& box, const AugmentProblem& p, float* plane) {
  const int64_t top = std::max(box.top, 0), bottom = std::min<int64_t>(box.bottom, p.h);
  const int64_t left = std::max(box.left, 0), right = std::min<int64_t>(box.right, p.w);
  if (left >= right) return;
  for (int64_t y = top; y < bottom; ++y)
    std::fill(plane + y * p.w + left, plane + y * p.w + right, 0.0f);
}

void augment(const Tensor& pixels, const Tensor& edits, const Tensor& levels, Tensor& images) {
  const int64_t fields = edits.extent(1), size = pixels.shape().size_from(1);
  const AugmentProblem p{pixels.extent(1), pixels.extent(2), pixels.extent(3),
                         static_cast<int>((fields - kImageEditFields) / kBoxFields)};
  const uint8_t* in = pixels.data<uint8_t>();
  const int32_t* edit = edits.data<int32_t>();
  const float* level = levels.data<float>();
  float* out = images.mutable_data<float>();
  const int64_t at_once = std::max<int64_t>(1, kElementBlock / std::max<int64_t>(1, size));
  parallel_for(pixels.extent(0), at_once, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      augment_image(p, in + i * size, edit + i * fields, level, out + i * size);
  });
}

}  // namespace

void augment_image(const AugmentProblem& p, const uint8_t* pixels, const int32_t* fields,
                   const float* levels, float* image) {
  const ImageEditRow edit{fields, p.boxes, p.h, p.w};
  const PixelBox shown = edit.shown();
  const int64_t left = std::max(shown.left, 0), right = std::min<int64_t>(shown.right, p.w);
  // Where all of a row's pixels are inside of the image, the source of x is at_zero + step · x.
  const int64_t step = edit.mirrored() ? -1 : 1, at_zero = fields[kShiftX];
  const auto is_inside = [&](int64_t x) { return x >= 0 && x < p.w; };
  const bool inside = is_inside(at_zero + step * left) && is_inside(at_zero + step * (right - 1));
  for (int64_t c = 0; c < p.channels; ++c, pixels += p.h * p.w, image += p.h * p.w, levels += 256) {
    for (int64_t y = 0; y < p.h; ++y) {
      float* row = image + y * p.w;
      std::fill(row, row + p.w, levels[0]);
      if (y < shown.top || y >= shown.bottom) continue;
      const uint8_t* source = pixels + edit.source_row(y) * p.w;
      for (int64_t x = left; inside && x < right; ++x) row[x] = levels[source[at_zero + step * x]];
      for (int64_t x = left; !inside && x < right; ++x)
        row[x] = levels[source[edit.source_column(x)]];
    }
    for (int i = 0; i < p.boxes; ++i) erase(edit.erased(i), p, image);
  }
}

void add_augment(Kernels& kernels) { kernels.augment = augment; }

}  // namespace pade::cpu
