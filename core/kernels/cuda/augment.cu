#include <algorithm>

#include <pade/core/kernels/kernels.h>
#include <pade/core/kernels/math/augment.h>
#include <pade/core/kernels/cuda/kernel.cuh>

namespace pade::cuda {
namespace {

/// A thread makes one pixel in all channels; the blocks of a column of the grid make one image.
__global__ void __launch_bounds__(kThreads)
    augment_kernel(AugmentProblem p, int64_t images, const uint8_t* pixels, const int32_t* edits,
                   const float* levels, float* out) {
  const int64_t plane = p.h * p.w;
  const int fields = kImageEditFields + kBoxFields * p.boxes;
  for (int64_t image = blockIdx.y; image < images; image += gridDim.y) {
    const ImageEditRow edit{edits + image * fields, p.boxes, p.h, p.w};
    const int64_t first = image * p.channels * plane;
    for (int64_t i = first_index(); i < plane; i += index_step()) {
      const int32_t y = static_cast<int32_t>(i) / static_cast<int32_t>(p.w);
      const int32_t x = static_cast<int32_t>(i) - y * static_cast<int32_t>(p.w);
      const int64_t row = edit.source_row(y), column = edit.source_column(x);
      const bool erased = edit.erases(y, x), shown = edit.shown().contains(y, x);
      const int64_t source = first + (shown ? row * p.w + column : 0);
      for (int64_t c = 0; c < p.channels; ++c)
        out[first + c * plane + i] =
            erased ? 0.0f : levels[256 * c + (shown ? pixels[source + c * plane] : 0)];
    }
  }
}

// ---------------------------------------------------------------------------------- launchers

void augment(const Tensor& pixels, const Tensor& edits, const Tensor& levels, Tensor& images) {
  const int64_t batch = pixels.extent(0);
  const AugmentProblem p{pixels.extent(1), pixels.extent(2), pixels.extent(3),
                         static_cast<int>((edits.extent(1) - kImageEditFields) / kBoxFields)};
  const unsigned rows = static_cast<unsigned>(std::min<int64_t>(batch, 65535));
  launch("augment", dim3(blocks_for(p.h * p.w), rows), augment_kernel, p, batch,
         pixels.address<uint8_t>(), edits.address<int32_t>(), levels.address<float>(),
         images.mutable_address<float>());
}

}  // namespace

void add_augment(Kernels& kernels) { kernels.augment = augment; }

}  // namespace pade::cuda
