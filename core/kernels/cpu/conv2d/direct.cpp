#include <algorithm>
#include <vector>

#include <pade/core/kernels/cpu/conv2d/blocks.h>
#include <pade/core/kernels/cpu/conv2d/methods.h>
#include <pade/core/kernels/cpu/conv2d/padded_plane.h>
#include <pade/core/kernels/cpu/register_tile.h>
#include <pade/core/kernels/cpu/scratch.h>
#include <pade/core/parallel.h>

namespace pade::cpu {
namespace {

// A filter tap sees a run of memory (see TapPlane), so a convolution is a weighted sum of shifted
// runs, and the gradient of a weight is the product of two runs. Runs are read, and results are
// written, up to the next multiple of kLaneCount.

// Tiles: of sums, kTileRows · kTileVectors; of products, kProductRows · kProductTerms.
constexpr int kTileRows = 4;
constexpr int kProductRows = 4, kProductTerms = kVectorRegisters == 32 ? 5 : 3;

template <int kRows, int kVectors, class T>
void shifted_sums_strip(const T* source, const int64_t* offsets, int64_t terms, const T* weights,
                        const T* start, T* out, int64_t out_stride) {
  constexpr int kLanes = kLaneCount<T>;
  Lanes<T> sum[kRows][kVectors];
  for (int r = 0; r < kRows; ++r)
    for (int v = 0; v < kVectors; ++v) sum[r][v] = Lanes<T>{} + (start ? start[r] : T{0});
  for (int64_t t = 0; t < terms; ++t) {
    const T* from = source + offsets[t];
    Lanes<T> in[kVectors];
    for (int v = 0; v < kVectors; ++v) in[v] = load_lanes(from + v * kLanes);
    for (int r = 0; r < kRows; ++r)
      for (int v = 0; v < kVectors; ++v) sum[r][v] += weights[r * terms + t] * in[v];
  }
  for (int r = 0; r < kRows; ++r)
    for (int v = 0; v < kVectors; ++v) store_lanes<T>(out + r * out_stride + v * kLanes, sum[r][v]);
}

/// out[r][p] = start[r] + Σ_t weights[r][t] · source[offsets[t] + p] for p in [0, count) and
/// r in [0, rows), rows <= kTileRows. `start` may be null: zeros.
template <class T>
void shifted_sums(const T* source, const int64_t* offsets, int64_t terms, const T* weights,
                  const T* start, int64_t rows, T* out, int64_t out_stride, int64_t count) {
  with_constant<kTileRows>(rows, [&](auto tile_rows) {
    int64_t vectors = blocks_of(count, kLaneCount<T>);
    for (int64_t p = 0; vectors > 0;)
      with_constant<kTileVectors>(first_tile(vectors, kTileVectors), [&](auto tile_vectors) {
        shifted_sums_strip<tile_rows, tile_vectors>(source + p, offsets, terms, weights, start,
                                                    out + p, out_stride);
        vectors -= tile_vectors;
        p += tile_vectors * kLaneCount<T>;
      });
  });
}

/// The factors of shifted_products, for each of several images.
template <class T>
struct ShiftedFactors {
  const T* a;
  int64_t a_stride, a_image_stride;
  const T* source;
  int64_t source_image_stride;
  int64_t images, count;
};

template <int kRows, int kTerms, class T>
void shifted_products_tile(const ShiftedFactors<T>& factors, const T* a, const int64_t* offsets,
                           T* sums, int64_t sums_stride) {
  constexpr int kLanes = kLaneCount<T>;
  Lanes<T> sum[kRows][kTerms];
  for (int r = 0; r < kRows; ++r)
    for (int t = 0; t < kTerms; ++t) sum[r][t] = load_lanes(sums + r * sums_stride + t * kLanes);
  for (int64_t n = 0; n < factors.images; ++n, a += factors.a_image_stride) {
    const T* from[kTerms];
    for (int t = 0; t < kTerms; ++t)
      from[t] = factors.source + n * factors.source_image_stride + offsets[t];
    for (int64_t p = 0; p < factors.count; p += kLanes) {
      Lanes<T> in[kTerms];
      for (int t = 0; t < kTerms; ++t) in[t] = load_lanes(from[t] + p);
      for (int r = 0; r < kRows; ++r) {
        const Lanes<T> factor = load_lanes(a + r * factors.a_stride + p);
        for (int t = 0; t < kTerms; ++t) sum[r][t] += factor * in[t];
      }
    }
  }
  for (int r = 0; r < kRows; ++r)
    for (int t = 0; t < kTerms; ++t) store_lanes<T>(sums + r * sums_stride + t * kLanes, sum[r][t]);
}

/// sums[r][t] += Σ_image Σ_p a[r][p] · source[offsets[t] + p] for p in [0, count), in kLaneCount
/// partial sums that lie side by side.
template <class T>
void shifted_products(const ShiftedFactors<T>& factors, int64_t rows, const int64_t* offsets,
                      int64_t terms, T* sums) {
  constexpr int kLanes = kLaneCount<T>;
  for (int64_t r = 0; r < rows;)
    with_constant<kProductRows>(first_tile(rows - r, kProductRows), [&](auto tile_rows) {
      for (int64_t t = 0; t < terms;)
        with_constant<kProductTerms>(first_tile(terms - t, kProductTerms), [&](auto tile_terms) {
          shifted_products_tile<tile_rows, tile_terms>(factors, factors.a + r * factors.a_stride,
                                                       offsets + t, sums + (r * terms + t) * kLanes,
                                                       terms * kLanes);
          t += tile_terms;
        });
      r += tile_rows;
    });
}

/// Strips are read and written whole.
template <class T>
int64_t whole_strips(int64_t count) {
  return blocks_of(count, kLaneCount<T>) * kLaneCount<T>;
}

/// A group's channels as tap planes, one after another; for each of several images.
template <class T>
class GroupPlanes {
 public:
  GroupPlanes(const Conv2dProblem& problem, const TapPlane& plane, int64_t images)
      : problem_(problem),
        plane_(plane),
        image_stride(problem.group_in() * plane.size() + 2 * kOvershoot<T>),
        scratch_(images * image_stride) {
    std::fill_n(scratch_.data(), images * image_stride, T{0});  // what is read beyond the planes
  }
  const T* data() { return scratch_.data(); }
  /// The number of the group counts from the first image on.
  void fill(const T* x, int64_t group, int64_t first_row, int64_t image) {
    const int64_t pixels = problem_.image.area();
    for (int64_t c = 0; c < problem_.group_in(); ++c)
      plane_.fill(x + (group * problem_.group_in() + c) * pixels, first_row,
                  scratch_.data() + image * image_stride + c * plane_.size());
  }

 private:
  const Conv2dProblem& problem_;
  const TapPlane& plane_;

 public:
  const int64_t image_stride;

 private:
  Scratch<T> scratch_;
};

/// Gradients of a group's output channels as runs (see TapPlane): zeros between the rows, after
/// the last one and for `margin` elements in front; for each of several images.
template <class T>
class GroupRuns {
 public:
  GroupRuns(const Conv2dProblem& problem, const TapPlane& plane, int64_t margin, int64_t images)
      : problem_(problem),
        pitch_(plane.pitch),
        margin_(margin),
        stride(margin + whole_strips<T>(plane.phase_size())),
        image_stride(problem.group_out() * stride),
        scratch_(images * image_stride) {
    std::fill_n(scratch_.data(), images * image_stride, T{0});
  }
  void fill(const T* dy, int64_t group, int64_t image) {
    const Size2 output = problem_.output;
    const T* from = dy + group * problem_.group_out() * output.area();
    for (int64_t o = 0; o < problem_.group_out(); ++o) {
      T* to = scratch_.data() + image * image_stride + o * stride + margin_;
      for (int64_t i = 0; i < output.h; ++i, from += output.w, to += pitch_)
        copy_run(from, to, output.w);
    }
  }
  /// The first channel's first pixel.
  const T* data() { return scratch_.data() + margin_; }

 private:
  const Conv2dProblem& problem_;
  int64_t pitch_, margin_;

 public:
  const int64_t stride;  ///< from one channel to the next
  const int64_t image_stride;

 private:
  Scratch<T> scratch_;
};

/// Where, from the first plane on, each term of a filter finds what it multiplies.
std::vector<int64_t> offsets_of_terms(const Conv2dProblem& problem, const TapPlane& plane) {
  std::vector<int64_t> offsets;
  for (int64_t c = 0; c < problem.group_in(); ++c)
    for (int64_t kh = 0; kh < problem.window.kernel.h; ++kh)
      for (int64_t kw = 0; kw < problem.window.kernel.w; ++kw)
        offsets.push_back(c * plane.size() + plane.offset(kh, kw));
  return offsets;
}

template <class T>
void forward(const Conv2dProblem& problem, const T* x, const T* weight, const T* bias, T* y) {
  // Units of work: some output rows of one group of one image.
  const Size2 output = problem.output;
  const int64_t rows_per_unit = std::clamp<int64_t>(kElementBlock / output.w, 1, output.h);
  const int64_t units_per_group = blocks_of(output.h, rows_per_unit);
  const TapPlane plane(problem.window, problem.image, {rows_per_unit, output.w});
  const std::vector<int64_t> offsets = offsets_of_terms(problem, plane);
  const int64_t terms = problem.terms(), group_out = problem.group_out();
  const int64_t run_stride = whole_strips<T>(rows_per_unit * plane.pitch);

  parallel_for(
      problem.images * problem.groups * units_per_group,
      units_per_block(problem.multiplications() / units_per_group),
      [&](int64_t begin, int64_t end) {
        GroupPlanes<T> planes(problem, plane, 1);
        Scratch<T> sums(kTileRows * run_stride);
        for (int64_t unit = begin; unit < end; ++unit) {
          const int64_t first_row = unit % units_per_group * rows_per_unit;
          const int64_t rows = std::min(rows_per_unit, output.h - first_row);
          const int64_t group = unit / units_per_group;  // counted over all images
          const int64_t first_out = group % problem.groups * group_out;
          planes.fill(x, group, first_row, 0);
          for (int64_t o = 0, tile; o < group_out; o += tile) {
            tile = first_tile(group_out - o, kTileRows);
            shifted_sums(planes.data(), offsets.data(), terms, weight + (first_out + o) * terms,
                         bias ? bias + first_out + o : nullptr, tile, sums.data(), run_stride,
                         (rows - 1) * plane.pitch + output.w);
            for (int64_t r = 0; r < tile; ++r)
              for (int64_t i = 0; i < rows; ++i)
                copy_run(sums.data() + r * run_stride + i * plane.pitch,
                         y + ((group * group_out + o + r) * output.h + first_row + i) * output.w,
                         output.w);
          }
        }
      });
}

/// An input pixel's gradient is a convolution of the output's, with filters flipped. A pixel
/// is seen through the taps of its phase only; so each phase has filters of its own.
template <class T>
struct FlippedFilters {
  std::vector<int64_t> offsets;  // in the runs of the output's gradient, of each term
  std::vector<T> weights;        // [input channel][term], a term being an output channel and a tap

  int64_t terms() const { return static_cast<int64_t>(offsets.size()); }
};

/// For each phase.
template <class T>
std::vector<FlippedFilters<T>> turn_filters(const Conv2dProblem& problem, const TapPlane& plane,
                                            int64_t run_stride, const T* weight) {
  const Size2 kernel = problem.window.kernel;
  std::vector<FlippedFilters<T>> phases(plane.phases.area());
  for (int64_t o = 0; o < problem.group_out(); ++o)
    for (int64_t kh = 0; kh < kernel.h; ++kh)
      for (int64_t kw = 0; kw < kernel.w; ++kw)
        phases[plane.phase(kh, kw)].offsets.push_back(o * run_stride -
                                                      plane.offset_in_phase(kh, kw));
  for (int64_t channel = 0; channel < problem.in_channels; ++channel) {
    const int64_t group = channel / problem.group_in(), c = channel % problem.group_in();
    for (int64_t o = 0; o < problem.group_out(); ++o) {
      const T* taps =
          weight + (group * problem.group_out() + o) * problem.terms() + c * problem.taps();
      for (int64_t kh = 0; kh < kernel.h; ++kh)
        for (int64_t kw = 0; kw < kernel.w; ++kw)
          phases[plane.phase(kh, kw)].weights.push_back(*taps++);
    }
  }
  return phases;
}

template <class T>
void backward_data(const Conv2dProblem& problem, const T* weight, const T* dy, T* dx) {
  const TapPlane plane(problem.window, problem.image, problem.output);
  const int64_t group_in = problem.group_in(), size = plane.phase_size();
  const int64_t margin =
      plane.offset_in_phase(problem.window.kernel.h - 1, problem.window.kernel.w - 1);
  const int64_t run_stride = margin + whole_strips<T>(size);
  const int64_t sums_stride = plane.size() + kOvershoot<T>;
  const auto phases = turn_filters(problem, plane, run_stride, weight);

  // Units of work: one group of one image.
  parallel_for(problem.images * problem.groups, units_per_block(problem.multiplications()),
               [&](int64_t begin, int64_t end) {
                 GroupRuns<T> runs(problem, plane, margin, 1);
                 Scratch<T> sums(kTileRows * sums_stride);
                 for (int64_t group = begin; group < end; ++group) {
                   runs.fill(dy, group, 0);
                   for (int64_t c = 0, tile; c < group_in; c += tile) {
                     tile = first_tile(group_in - c, kTileRows);
                     const int64_t channel = group % problem.groups * group_in + c;
                     T* out = sums.data();
                     for (const FlippedFilters<T>& flipped : phases) {
                       shifted_sums<T>(runs.data(), flipped.offsets.data(), flipped.terms(),
                                       flipped.weights.data() + channel * flipped.terms(), nullptr,
                                       tile, out, sums_stride, size);
                       out += size;
                     }
                     for (int64_t r = 0; r < tile; ++r)
                       plane.copy_to(dx + (group * group_in + c + r) * problem.image.area(),
                                     sums.data() + r * sums_stride);
                   }
                 }
               });
}

/// So many images that what a tile of shifted_products reads stays in L1.
template <class T>
int64_t images_at_once(const TapPlane& plane) {
  constexpr int64_t kElements = (24 << 10) / sizeof(T), kMost = 16;
  return std::clamp<int64_t>(kElements / (plane.size() + kProductRows * plane.phase_size()), 1,
                             kMost);
}

template <class T>
void backward_weight(const Conv2dProblem& problem, const T* x, const T* dy, T* dweight) {
  constexpr int64_t kLanes = kLaneCount<T>;
  const TapPlane plane(problem.window, problem.image, problem.output);
  const std::vector<int64_t> offsets = offsets_of_terms(problem, plane);
  const int64_t group_out = problem.group_out(), terms = problem.terms();
  const int64_t run = (problem.output.h - 1) * plane.pitch + problem.output.w;
  const int64_t at_once = images_at_once<T>(plane);

  sum_over_images(
      problem.images, problem.groups, problem.out_channels * terms, dweight,
      [&](int64_t first_image, int64_t end_image, int64_t begin, int64_t end, T* partial) {
        GroupPlanes<T> planes(problem, plane, at_once);
        GroupRuns<T> runs(problem, plane, 0, at_once);
        Scratch<T> sums(group_out * terms * kLanes);
        for (int64_t g = begin; g < end; ++g) {
          std::fill_n(sums.data(), group_out * terms * kLanes, T{0});
          for (int64_t image = first_image; image < end_image; image += at_once) {
            const int64_t images = std::min(at_once, end_image - image);
            for (int64_t n = 0; n < images; ++n) {
              planes.fill(x, (image + n) * problem.groups + g, 0, n);
              runs.fill(dy, (image + n) * problem.groups + g, n);
            }
            shifted_products<T>({runs.data(), runs.stride, runs.image_stride, planes.data(),
                                 planes.image_stride, images, run},
                                group_out, offsets.data(), terms, sums.data());
          }
          for (int64_t i = 0; i < group_out * terms; ++i)
            partial[g * group_out * terms + i] =
                static_cast<T>(sum_lanes<T>(load_lanes(sums.data() + i * kLanes)));
        }
      });
}

bool is_possible(const Conv2dProblem&, DType) { return true; }

}  // namespace

const Method kDirect{"direct",
                     is_possible,
                     {forward<float>, backward_data<float>, backward_weight<float>},
                     {forward<double>, backward_data<double>, backward_weight<double>}};

}  // namespace pade::cpu
