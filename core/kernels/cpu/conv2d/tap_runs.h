#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

/// Which taps of a kernel meet which pixels, along one axis of an image, for a convolution that
/// leaves out what falls outside.
namespace pade::cpu {

/// Tap k of the kernel, along one axis, and where in the source it falls.
struct Tap {
  int64_t k, at;
};

/// Results along one axis whose taps are the same, and fall on places `step` apart.
struct TapRun {
  int64_t first, count, step;
  std::vector<Tap> taps;  // of the first
};

/// Whether b has the taps of a, `step` further on.
inline bool follows(const std::vector<Tap>& a, const std::vector<Tap>& b, int64_t step) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](const Tap& of_a, const Tap& of_b) {
    return of_a.k == of_b.k && of_a.at + step == of_b.at;
  });
}

/// Puts neighbouring results with the same taps together, `most` at once.
inline std::vector<TapRun> runs_of(const std::vector<std::vector<Tap>>& taps, int64_t most) {
  std::vector<TapRun> runs;
  for (size_t i = 0; i < taps.size(); ++i) {
    const bool may_join = !runs.empty() && runs.back().count < most;
    if (may_join && !taps[i].empty() && !taps[i - 1].empty()) {
      TapRun& run = runs.back();
      const int64_t step = taps[i].front().at - taps[i - 1].front().at;
      if ((run.count == 1 || run.step == step) && follows(taps[i - 1], taps[i], step)) {
        run.step = step;
        ++run.count;
        continue;
      }
    }
    runs.push_back({static_cast<int64_t>(i), 1, 0, taps[i]});
  }
  return runs;
}

/// Along one axis, the taps of each pixel of the output, and what they see of the image.
inline std::vector<std::vector<Tap>> forward_taps(int64_t image, int64_t output, int64_t kernel,
                                                  int64_t stride, int64_t padding,
                                                  int64_t dilation) {
  std::vector<std::vector<Tap>> taps(output);
  for (int64_t i = 0; i < output; ++i)
    for (int64_t k = 0; k < kernel; ++k) {
      const int64_t at = i * stride + k * dilation - padding;
      if (at >= 0 && at < image) taps[i].push_back({k, at});
    }
  return taps;
}

/// The same relation seen from the image: by which taps each of its pixels is seen, and from where.
inline std::vector<std::vector<Tap>> backward_taps(const std::vector<std::vector<Tap>>& forward,
                                                   int64_t image) {
  std::vector<std::vector<Tap>> taps(image);
  for (size_t i = 0; i < forward.size(); ++i)
    for (const Tap& tap : forward[i]) taps[tap.at].push_back({tap.k, static_cast<int64_t>(i)});
  return taps;
}

}  // namespace pade::cpu
