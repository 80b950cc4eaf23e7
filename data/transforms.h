#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <pade/core/ops/augment.h>
#include <pade/core/random.h>

namespace pade::data {

/// Rows [top, bottom) and columns [left, right) of an image.
struct Box {
  int64_t top, left, bottom, right;
};

/// What lies beyond the edges of an image.
enum class Border {
  black,
  reflected,  ///< the image mirrored, without the pixels of the edge: −1 shows 1, −2 shows 2
};

/// What happens to one image: the changes that transforms draw are composed, in their order, into a
/// row of numbers that augment() carries out.
class ImageEdit {
 public:
  /// Writes to `row`, which must stay: 7 + 4 R numbers, for at most R calls of erase(). Nothing
  /// happens to the image yet. `image_rng` is the image's, and the same in all epochs.
  ImageEdit(std::span<int32_t> row, int64_t height, int64_t width, int64_t epoch = 0,
            const Rng& image_rng = Rng(0));

  int64_t height() const { return height_; }
  int64_t width() const { return width_; }
  /// The epoch, and a generator that starts in each of them alike, for what goes on from one to the
  /// next.
  int64_t epoch() const { return epoch_; }
  Rng image_rng() const { return image_rng_; }

  /// Pixel (y, x) becomes what pixel (y + dy, x + dx) was, and where there was none as `border` has
  /// it. Throws Error for more than 2²⁰ pixels, and where a shift that reflects is not the first
  /// one, or comes after an erased box.
  void shift(int64_t dy, int64_t dx, Border border = Border::black);
  /// Exchanges left and right.
  void mirror();
  /// Fills a box with 0 as the network sees it: the mean of the training images. Throws Error when
  /// the row has no place for one more.
  void erase(const Box& box);

 private:
  void set_box(size_t first, const Box& box);

  std::span<int32_t> row_;
  int64_t height_, width_, epoch_;
  Rng image_rng_;
  size_t used_ = kImageEditFields;
  bool shifted_ = false;
};

/// A random change of an image. One of your own has these four members, and goes into
/// LoaderOptions::augment beside ours.
template <class T>
concept Transformation = requires(const T& t, ImageEdit& edit, Rng& rng) {
  t.validate();       // throws Error unless its parameters make sense
  t.draw(edit, rng);  // chooses, and tells `edit`
  { t.describe() } -> std::convertible_to<std::string>;  // as `cutout(size=8)`
  { t.erased_boxes() } -> std::convertible_to<int>;      // how often draw() may call erase()
};

/// Any of them, as a value.
class Transform {
 public:
  /// Throws Error unless the parameters make sense.
  template <Transformation T>
  Transform(T transformation)
      : description_(transformation.describe()), erased_boxes_(transformation.erased_boxes()) {
    transformation.validate();
    draw_ = [transformation](ImageEdit& edit, Rng& rng) { transformation.draw(edit, rng); };
  }

  void draw(ImageEdit& edit, Rng& rng) const { draw_(edit, rng); }
  const std::string& describe() const { return description_; }
  int erased_boxes() const { return erased_boxes_; }

 private:
  std::string description_;
  int erased_boxes_;
  std::function<void(ImageEdit&, Rng&)> draw_;
};

/// As `random_crop(padding=4) horizontal_flip(p=0.5)`; `none` when there are none.
std::string describe(const std::vector<Transform>& transforms);

/// The image with `padding` pixels on each side, black or reflected, cropped to its size at a place
/// that is drawn uniformly. Throws Error unless 0 <= padding <= 1024.
struct RandomCrop {
  int64_t padding = 4;
  Border border = Border::black;

  void validate() const;
  int erased_boxes() const { return 0; }
  void draw(ImageEdit& edit, Rng& rng) const;
  std::string describe() const;
};

/// Left and right exchanged, with probability `p`. Throws Error unless p is in [0, 1].
struct HorizontalFlip {
  double p = 0.5;

  void validate() const;
  int erased_boxes() const { return 0; }
  void draw(ImageEdit& edit, Rng& rng) const;
  std::string describe() const;
};

/// Left and right exchanged in every other epoch; the first time in epoch 0 or 1, with equal
/// probability for each image. So two epochs show both sides of all, where independent draws show
/// one side twice of half of them (Jordan, 94% on CIFAR-10 in 3.29 Seconds on a Single GPU, 2024,
/// https://arxiv.org/abs/2404.00498, section 3.6).
struct AlternatingFlip {
  void validate() const {}
  int erased_boxes() const { return 0; }
  void draw(ImageEdit& edit, Rng& rng) const;
  std::string describe() const;
};

/// The image moved by (−dy, −dx), and mirrored, always alike: a view of it, for testing.
struct FixedView {
  int64_t dy = 0, dx = 0;
  Border border = Border::black;
  bool mirrored = false;

  void validate() const;
  int erased_boxes() const { return 0; }
  void draw(ImageEdit& edit, Rng& rng) const;
  std::string describe() const;
};

/// A square of `size`² pixels filled with the mean, its centre drawn uniformly among all pixels, so
/// that parts of it may lie outside of the image (DeVries and Taylor, Improved Regularization of
/// Convolutional Neural Networks with Cutout, 2017, https://arxiv.org/abs/1708.04552; there 16 for
/// CIFAR-10, 8 for CIFAR-100). The centre of an even size is below and right of the middle. Throws
/// Error unless 1 <= size <= 65536.
struct Cutout {
  int64_t size = 16;

  void validate() const;
  int erased_boxes() const { return 1; }
  void draw(ImageEdit& edit, Rng& rng) const;
  std::string describe() const;
};

/// With probability `p`, a rectangle filled with the mean: its share of the image's area and its
/// aspect, height / width, are drawn uniformly, and its place uniformly among those inside of the
/// image. One that does not fit, smaller than the image on both axes, is drawn again, up to a
/// hundred times; then nothing is erased (Zhong et al., Random Erasing Data Augmentation, 2017,
/// https://arxiv.org/abs/1708.04896, algorithm 1, whose parameters are the defaults). Throws Error
/// unless p is in [0, 1], 0 < min_area <= max_area <= 1, and 0 < min_aspect <= max_aspect.
struct RandomErasing {
  double p = 0.5;
  double min_area = 0.02, max_area = 0.4;
  double min_aspect = 0.3, max_aspect = 1 / 0.3;

  void validate() const;
  int erased_boxes() const { return 1; }
  void draw(ImageEdit& edit, Rng& rng) const;
  std::string describe() const;
};

}  // namespace pade::data
