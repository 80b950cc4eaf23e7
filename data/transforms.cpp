#include <algorithm>
#include <cmath>

#include <pade/core/error.h>
#include <pade/core/text_stream.h>
#include <pade/data/transforms.h>

namespace pade::data {
namespace {

template <class... Parts>
std::string text(const Parts&... parts) {
  TextStream out;
  (out << ... << parts);
  return out.str();
}

/// An integer below `bound`.
int64_t draw_below(Rng& rng, int64_t bound) {
  return static_cast<int64_t>(rng.below(static_cast<uint64_t>(bound)));
}

const char* suffix_of(Border border) { return border == Border::reflected ? ",reflected" : ""; }

void check_probability(const char* name, double p) {
  check(p >= 0 && p <= 1, name, ": the probability must be in [0, 1], got ", p);
}

}  // namespace

ImageEdit::ImageEdit(std::span<int32_t> row, int64_t height, int64_t width, int64_t epoch,
                     const Rng& image_rng)
    : row_(row), height_(height), width_(width), epoch_(epoch), image_rng_(image_rng) {
  check(row.size() >= kImageEditFields && (row.size() - kImageEditFields) % kBoxFields == 0,
        "ImageEdit: expected a row of 7 + 4 R numbers, got ", row.size());
  std::fill(row.begin(), row.end(), 0);
  set_box(kShownBox, {0, 0, height, width});
}

void ImageEdit::shift(int64_t dy, int64_t dx, Border border) {
  constexpr int64_t kFarthest = 1 << 20;
  check(dy >= -kFarthest && dy <= kFarthest && dx >= -kFarthest && dx <= kFarthest,
        "ImageEdit: a shift by (", dy, ", ", dx, ") is too far; expected at most ", kFarthest);
  check(border == Border::black || (!shifted_ && used_ == kImageEditFields),
        "ImageEdit: a shift that reflects comes before other shifts and erased boxes");
  shifted_ = true;
  row_[kShiftY] += static_cast<int32_t>(dy);
  row_[kShiftX] += static_cast<int32_t>(row_[kMirrored] ? -dx : dx);
  if (border == Border::reflected) return;  // all of it shows something
  for (size_t i = kShownBox; i < used_; i += kBoxFields)
    set_box(i, {row_[i] - dy, row_[i + 1] - dx, row_[i + 2] - dy, row_[i + 3] - dx});
}

void ImageEdit::mirror() {
  const auto last = static_cast<int32_t>(width_ - 1);
  row_[kShiftX] += row_[kMirrored] ? -last : last;
  row_[kMirrored] = !row_[kMirrored];
  for (size_t i = kShownBox; i < used_; i += kBoxFields)
    set_box(i, {row_[i], width_ - row_[i + 3], row_[i + 2], width_ - row_[i + 1]});
}

void ImageEdit::erase(const Box& box) {
  check(used_ < row_.size(), "ImageEdit: the row has place for ",
        (row_.size() - kImageEditFields) / kBoxFields,
        " boxes to erase, and one more was asked for");
  set_box(used_, box);
  used_ += kBoxFields;
}

/// Clips the box to the image: what moves out of it does not come back.
void ImageEdit::set_box(size_t first, const Box& box) {
  static_assert(kShownBox + kBoxFields == kImageEditFields);
  const int64_t edges[] = {box.top, box.left, box.bottom, box.right};
  for (size_t i = 0; i < kBoxFields; ++i)
    row_[first + i] =
        static_cast<int32_t>(std::clamp<int64_t>(edges[i], 0, i % 2 ? width_ : height_));
}

std::string describe(const std::vector<Transform>& transforms) {
  std::string all;
  for (const Transform& transform : transforms)
    all += (all.empty() ? "" : " ") + transform.describe();
  return all.empty() ? "none" : all;
}

void RandomCrop::validate() const {
  check(padding >= 0 && padding <= 1024, "random_crop: the padding must be in [0, 1024], got ",
        padding);
}

void RandomCrop::draw(ImageEdit& edit, Rng& rng) const {
  const int64_t dy = draw_below(rng, 2 * padding + 1) - padding;
  const int64_t dx = draw_below(rng, 2 * padding + 1) - padding;
  edit.shift(dy, dx, border);
}

std::string RandomCrop::describe() const {
  return text("random_crop(padding=", padding, suffix_of(border), ")");
}

void HorizontalFlip::validate() const { check_probability("horizontal_flip", p); }

void HorizontalFlip::draw(ImageEdit& edit, Rng& rng) const {
  if (rng.uniform() < p) edit.mirror();
}

std::string HorizontalFlip::describe() const { return text("horizontal_flip(p=", p, ")"); }

void AlternatingFlip::draw(ImageEdit& edit, Rng&) const {
  const auto first = static_cast<int64_t>(edit.image_rng().below(2));
  if ((edit.epoch() + first) % 2 == 0) edit.mirror();
}

std::string AlternatingFlip::describe() const { return "alternating_flip"; }

void FixedView::validate() const {
  check(std::max(std::abs(dy), std::abs(dx)) <= 1024,
        "fixed_view: expected a move by at most 1024 pixels, got ", dy, " and ", dx);
}

void FixedView::draw(ImageEdit& edit, Rng&) const {
  edit.shift(dy, dx, border);
  if (mirrored) edit.mirror();
}

std::string FixedView::describe() const {
  return text("fixed_view(dy=", dy, ",dx=", dx, suffix_of(border), mirrored ? ",mirrored)" : ")");
}

void Cutout::validate() const {
  check(size >= 1 && size <= 65536, "cutout: the size must be in [1, 65536], got ", size);
}

void Cutout::draw(ImageEdit& edit, Rng& rng) const {
  const int64_t top = draw_below(rng, edit.height()) - size / 2;
  const int64_t left = draw_below(rng, edit.width()) - size / 2;
  edit.erase({top, left, top + size, left + size});
}

std::string Cutout::describe() const { return text("cutout(size=", size, ")"); }

void RandomErasing::validate() const {
  check_probability("random_erasing", p);
  check(0 < min_area && min_area <= max_area && max_area <= 1,
        "random_erasing: expected areas 0 < min <= max <= 1, got ", min_area, " and ", max_area);
  check(0 < min_aspect && min_aspect <= max_aspect && std::isfinite(max_aspect),
        "random_erasing: expected aspects 0 < min <= max, got ", min_aspect, " and ", max_aspect);
}

void RandomErasing::draw(ImageEdit& edit, Rng& rng) const {
  if (rng.uniform() >= p) return;
  const auto between = [&](double low, double high) { return low + (high - low) * rng.uniform(); };
  const double image_area = static_cast<double>(edit.height() * edit.width());
  for (int attempt = 0; attempt < 100; ++attempt) {
    const double area = image_area * between(min_area, max_area);
    const double aspect = between(min_aspect, max_aspect);
    const double h = std::round(std::sqrt(area * aspect)), w = std::round(std::sqrt(area / aspect));
    if (h >= static_cast<double>(edit.height()) || w >= static_cast<double>(edit.width())) continue;
    const auto height = static_cast<int64_t>(h), width = static_cast<int64_t>(w);
    const int64_t top = draw_below(rng, edit.height() - height + 1);
    const int64_t left = draw_below(rng, edit.width() - width + 1);
    return edit.erase({top, left, top + height, left + width});
  }
}

std::string RandomErasing::describe() const {
  return text("random_erasing(p=", p, ",area=", min_area, "..", max_area, ",aspect=", min_aspect,
              "..", max_aspect, ")");
}

}  // namespace pade::data
