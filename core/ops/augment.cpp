#include <limits>

#include <pade/core/error.h>
#include <pade/core/kernels/kernels.h>
#include <pade/core/ops/augment.h>
#include <pade/core/ops/operands.h>

namespace pade {

Tensor augment(const Tensor& pixels, const Tensor& edits, const Tensor& levels) {
  check_defined("augment", {{"pixels", pixels}, {"edits", edits}, {"levels", levels}});
  check(pixels.dtype() == DType::uint8 && pixels.rank() == 4,
        "augment: expected pixels of uint8 [B, C, H, W], got ", pixels.dtype(), " ",
        pixels.shape());
  check(edits.dtype() == DType::int32 && edits.rank() == 2 && edits.extent(0) == pixels.extent(0) &&
            edits.extent(1) >= kImageEditFields &&
            (edits.extent(1) - kImageEditFields) % kBoxFields == 0,
        "augment: expected edits of int32 [", pixels.extent(0), ", 7 + 4 R], got ", edits.dtype(),
        " ", edits.shape());
  check(levels.dtype() == DType::float32 && levels.shape() == Shape{pixels.extent(1), 256},
        "augment: expected levels of float32 [", pixels.extent(1), ", 256], got ", levels.dtype(),
        " ", levels.shape());
  check(edits.device() == pixels.device() && levels.device() == pixels.device(),
        "augment: pixels are on ", pixels.device(), ", edits on ", edits.device(), ", levels on ",
        levels.device());
  check(pixels.shape().size_from(2) <= std::numeric_limits<int32_t>::max(), "augment: images of ",
        pixels.extent(2), "×", pixels.extent(3), " are too large; expected fewer than 2³¹ pixels");
  Tensor images = Tensor::empty(pixels.shape(), DType::float32, pixels.device());
  kernels_of(pixels).augment(pixels, edits, levels, images);
  return images;
}

}  // namespace pade
