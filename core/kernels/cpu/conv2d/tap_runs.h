#pragma once

#include <algorithm>
#include <vector>

#include <pade/core/kernels/problems.h>

/// Which taps of a kernel meet which pixels, along one axis of an image, for a convolution that
/// leaves out what falls outside.
namespace pade::cpu {

/// Tap k of the kernel, along one axis, and where in the source it falls.
struct Tap {
  int64_t k, at;
};
using Taps = std::vector<Tap>;

/// Results along one axis whose taps are the same, and fall on places `step` apart.
struct TapRun {
  int64_t first, count, step;
  Taps taps;  // of the first
};

/// Whether b has the taps of a, `distance` further on.
inline bool follows(const Taps& a, const Taps& b, int64_t distance) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](const Tap& of_a, const Tap& of_b) {
    return of_a.k == of_b.k && of_a.at + distance == of_b.at;
  });
}

/// Puts neighbouring results with the same taps together, `most` at once.
inline std::vector<TapRun> runs_of(const std::vector<Taps>& taps, int64_t most) {
  const int64_t count = static_cast<int64_t>(taps.size());
  std::vector<TapRun> runs;
  for (int64_t i = 0; i < count; i += runs.back().count) {
    TapRun run{i, 1, 0, taps[i]};
    if (i + 1 < count && !taps[i].empty() && !taps[i + 1].empty())
      run.step = taps[i + 1].front().at - taps[i].front().at;
    while (run.count < most && i + run.count < count &&
           follows(run.taps, taps[i + run.count], run.count * run.step))
      ++run.count;
    runs.push_back(run);
  }
  return runs;
}

/// Along one axis (&Size2::h or &Size2::w), the taps of each pixel of the output, and what they see
/// of the image.
inline std::vector<Taps> forward_taps(const Conv2dProblem& problem, int64_t Size2::*axis) {
  const Window& w = problem.window;
  std::vector<Taps> taps(problem.output.*axis);
  for (int64_t i = 0; i < problem.output.*axis; ++i)
    for (int64_t k = 0; k < w.kernel.*axis; ++k) {
      const int64_t at = i * w.stride.*axis + k * w.dilation.*axis - w.padding.*axis;
      if (at >= 0 && at < problem.image.*axis) taps[i].push_back({k, at});
    }
  return taps;
}

/// The same relation seen from the image: by which taps each of its pixels is seen, and from where.
inline std::vector<Taps> backward_taps(const Conv2dProblem& problem, int64_t Size2::*axis) {
  const std::vector<Taps> forward = forward_taps(problem, axis);
  std::vector<Taps> taps(problem.image.*axis);
  for (size_t i = 0; i < forward.size(); ++i)
    for (const Tap& tap : forward[i]) taps[tap.at].push_back({tap.k, static_cast<int64_t>(i)});
  return taps;
}

}  // namespace pade::cpu
