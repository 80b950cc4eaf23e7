#include <algorithm>
#include <vector>

#include <pade/core/kernels/cpu/conv2d/blocks.h>
#include <pade/core/kernels/cpu/conv2d/group_planes.h>
#include <pade/core/kernels/cpu/conv2d/methods.h>
#include <pade/core/kernels/cpu/register_tile.h>
#include <pade/core/kernels/cpu/scratch.h>
#include <pade/core/parallel.h>

namespace pade::cpu {
namespace {

// A filter tap sees a run of memory (see TapPlane), so a convolution is a weighted sum of shifted
// runs, and the gradient of a weight is the product of two runs. Runs are read, and results are
// written, up to the next multiple of kLaneCount.

// Tiles: of sums, kSumRows · kTileVectors; of products, kProductRows · kProductTerms.
constexpr int kSumRows = 4;
constexpr int kProductRows = 4, kProductTerms = kVectorRegisters == 32 ? 5 : 3;

template <int kRows, int kVectors, class T>
void shifted_sums_tile(const T* source, const std::vector<int64_t>& offsets, const T* weights,
                       const T* start, T* out, int64_t out_stride) {
  constexpr int kLanes = kLaneCount<T>;
  const int64_t terms = static_cast<int64_t>(offsets.size());
  RegisterTile<Lanes<T>, kRows, kVectors> tile;
  tile.for_each([=](int r, int, Lanes<T>& sum) { sum = Lanes<T>{} + (start ? start[r] : T{0}); });
  for (int64_t t = 0; t < terms; ++t) {
    const T* from = source + offsets[t];
    tile.add([=](int r) { return weights[r * terms + t]; },
             [=](int v) { return load_lanes(from + v * kLanes); });
  }
  tile.for_each([=](int r, int v, const Lanes<T>& sum) {
    store_lanes<T>(out + r * out_stride + v * kLanes, sum);
  });
}

/// out[r][p] = start[r] + Σ_t weights[r][t] · source[offsets[t] + p] for p in [0, count).
/// `start` may be null: zeros.
template <int kRows, class T>
void shifted_sums(const T* source, const std::vector<int64_t>& offsets, const T* weights,
                  const T* start, T* out, int64_t out_stride, int64_t count) {
  for_each_tile<kTileVectors>(blocks_of(count, kLaneCount<T>), [&](int64_t first, auto vectors) {
    shifted_sums_tile<kRows, vectors>(source + first * kLaneCount<T>, offsets, weights, start,
                                      out + first * kLaneCount<T>, out_stride);
  });
}

/// sums[r][t] += Σ_image Σ_p runs[r][p] · source[offsets[t] + p] for p in [0, count), in kLaneCount
/// partial sums side by side.
template <int kRows, int kTerms, class T>
void shifted_products(const GroupRuns<T>& runs, int64_t first_row, const GroupPlanes<T>& planes,
                      const int64_t* offsets, int64_t images, int64_t count, T* sums,
                      int64_t sums_stride) {
  constexpr int kLanes = kLaneCount<T>;
  const int64_t stride = runs.stride;
  RegisterTile<Lanes<T>, kRows, kTerms> tile;
  tile.for_each(
      [=](int r, int t, Lanes<T>& sum) { sum = load_lanes(sums + r * sums_stride + t * kLanes); });
  for (int64_t n = 0; n < images; ++n) {
    const T* rows = runs.data() + n * runs.image_stride + first_row * stride;
    const T* from[kTerms];
    for (int t = 0; t < kTerms; ++t) from[t] = planes.data() + n * planes.image_stride + offsets[t];
    for (int64_t p = 0; p < count; p += kLanes)
      tile.add([=](int r) { return load_lanes(rows + r * stride + p); },
               [&](int t) { return load_lanes(from[t] + p); });
  }
  tile.for_each([=](int r, int t, const Lanes<T>& sum) {
    store_lanes<T>(sums + r * sums_stride + t * kLanes, sum);
  });
}

template <class T>
void forward(const Conv2dProblem& problem, const T* x, const T* weight, const T* bias, T* y) {
  // Units of work: some output rows of one group of one image.
  const Size2 output = problem.output;
  const int64_t rows_per_unit = std::clamp<int64_t>(kElementBlock / output.w, 1, output.h);
  const int64_t units_per_group = blocks_of(output.h, rows_per_unit);
  const TapPlane plane(problem.window, problem.image, {rows_per_unit, output.w});
  const std::vector<int64_t> offsets = offsets_of_terms(problem, plane);
  const int64_t group_out = problem.group_out();
  const int64_t run_stride = whole_vectors<T>(rows_per_unit * plane.pitch);

  parallel_for(
      problem.images * problem.groups * units_per_group,
      units_per_block(problem.multiplications() / units_per_group),
      [&](int64_t begin, int64_t end) {
        GroupPlanes<T> planes(problem, plane);
        const Scratch<T> sums(kSumRows * run_stride);
        for (int64_t unit = begin; unit < end; ++unit) {
          const int64_t first_row = unit % units_per_group * rows_per_unit;
          const int64_t rows = std::min(rows_per_unit, output.h - first_row);
          const int64_t group = unit / units_per_group;  // counted over all images
          const int64_t first_out = group % problem.groups * group_out;
          planes.fill(x, group, 0, first_row);
          for_each_tile<kSumRows>(group_out, [&](int64_t o, auto tile) {
            shifted_sums<tile>(planes.data(), offsets, weight + (first_out + o) * problem.terms(),
                               bias ? bias + first_out + o : nullptr, sums.data(), run_stride,
                               (rows - 1) * plane.pitch + output.w);
            for (int64_t r = 0; r < tile; ++r)
              for (int64_t i = 0; i < rows; ++i)
                copy_run(sums.data() + r * run_stride + i * plane.pitch,
                         y + ((group * group_out + o + r) * output.h + first_row + i) * output.w,
                         output.w);
          });
        }
      });
}

template <class T>
void backward_data(const Conv2dProblem& problem, const T* weight, const T* dy, T* dx) {
  const TapPlane plane(problem.window, problem.image, problem.output);
  const int64_t group_in = problem.group_in(), size = plane.phase_size();
  const int64_t sums_stride = plane.size() + kOvershoot<T>;
  const std::vector<FlippedTerms> phases = flipped_terms<T>(problem, plane);
  std::vector<std::vector<T>> weights(phases.size());  // [input channel][term]
  for (int64_t channel = 0; channel < problem.in_channels; ++channel) {
    const T* of_channel = weight + channel / group_in * problem.group_out() * problem.terms() +
                          channel % group_in * problem.taps();
    for (size_t i = 0; i < phases.size(); ++i)
      for (const int64_t place : phases[i].weights) weights[i].push_back(of_channel[place]);
  }

  // Units of work: one group of one image.
  const int64_t units = problem.images * problem.groups;
  parallel_for(units, units_per_block(problem.multiplications()), [&](int64_t begin, int64_t end) {
    GroupRuns<T> runs(problem, plane);
    const Scratch<T> sums(kSumRows * sums_stride);
    for (int64_t group = begin; group < end; ++group) {
      runs.fill(dy, group);
      for_each_tile<kSumRows>(group_in, [&](int64_t c, auto tile) {
        const int64_t channel = group % problem.groups * group_in + c;
        for (size_t i = 0; i < phases.size(); ++i) {
          const std::vector<int64_t>& offsets = phases[i].offsets;
          shifted_sums<tile, T>(runs.data(), offsets, weights[i].data() + channel * offsets.size(),
                                nullptr, sums.data() + i * size, sums_stride, size);
        }
        for (int64_t r = 0; r < tile; ++r)
          plane.copy_to(dx + (group * group_in + c + r) * problem.image.area(),
                        sums.data() + r * sums_stride);
      });
    }
  });
}

template <class T>
void backward_weight(const Conv2dProblem& problem, const T* x, const T* dy, T* dweight) {
  constexpr int64_t kLanes = kLaneCount<T>;
  const TapPlane plane(problem.window, problem.image, problem.output);
  const std::vector<int64_t> offsets = offsets_of_terms(problem, plane);
  const int64_t group_out = problem.group_out(), terms = problem.terms();
  const int64_t run = (problem.output.h - 1) * plane.pitch + problem.output.w;
  // As many images as leave what a tile of shifted_products reads in L1.
  constexpr int64_t kElements = (24 << 10) / sizeof(T), kMost = 16;
  const int64_t at_once =
      std::clamp<int64_t>(kElements / (plane.size() + kProductRows * plane.phase_size()), 1, kMost);

  sum_over_images(
      problem.images, problem.groups, problem.out_channels * terms, dweight,
      [&](int64_t first_image, int64_t end_image, int64_t begin, int64_t end, T* partial) {
        GroupPlanes<T> planes(problem, plane, at_once);
        GroupRuns<T> runs(problem, plane, at_once);
        const Scratch<T> sums(group_out * terms * kLanes);
        for (int64_t g = begin; g < end; ++g) {
          std::fill_n(sums.data(), group_out * terms * kLanes, T{0});
          for (int64_t image = first_image; image < end_image; image += at_once) {
            const int64_t images = std::min(at_once, end_image - image);
            for (int64_t n = 0; n < images; ++n) {
              planes.fill(x, (image + n) * problem.groups + g, n);
              runs.fill(dy, (image + n) * problem.groups + g, n);
            }
            for_each_tile<kProductRows>(group_out, [&](int64_t o, auto tile_rows) {
              for_each_tile<kProductTerms>(terms, [&](int64_t t, auto tile_terms) {
                shifted_products<tile_rows, tile_terms>(runs, o, planes, offsets.data() + t, images,
                                                        run, sums.data() + (o * terms + t) * kLanes,
                                                        terms * kLanes);
              });
            });
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
