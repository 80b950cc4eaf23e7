#include <algorithm>
#include <limits>

#include <pade/core/kernels/kernels.h>
#include <pade/core/kernels/math/pool.h>
#include <pade/core/kernels/cuda/plane_index.cuh>
#include <pade/core/kernels/cuda/reduce.cuh>

namespace pade::cuda {
namespace {

/// The parts of windows that lie in the image.
struct Inside {
  PoolRange rows, columns;
};

__device__ __forceinline__ Inside window_at(const PoolProblem& p, const PlaneIndex::Place& place) {
  return {inside_window(place.row, p.kernel.h, p.stride.h, p.padding.h, p.h),
          inside_window(place.column, p.kernel.w, p.stride.w, p.padding.w, p.w)};
}

__device__ __forceinline__ Inside windows_at(const PoolProblem& p, const PlaneIndex::Place& place) {
  return {windows_over(place.row, p.kernel.h, p.stride.h, p.padding.h, p.oh),
          windows_over(place.column, p.kernel.w, p.stride.w, p.padding.w, p.ow)};
}

template <class T>
__global__ void __launch_bounds__(kThreads)
    max_pool_kernel(PoolProblem p, PlaneIndex outputs, const T* x, T* y, int32_t* winner) {
  const uint32_t n = p.planes * outputs.area;
  for (uint32_t i = first_index(); i < n; i += index_step()) {
    const PlaneIndex::Place place = outputs.at(i);
    const Inside window = window_at(p, place);
    const T* image = x + place.plane * p.h * p.w;
    T best = -std::numeric_limits<T>::infinity();
    int32_t won = static_cast<int32_t>(window.rows.begin * p.w + window.columns.begin);
    for (int64_t row = window.rows.begin; row < window.rows.end; ++row)
      for (int64_t column = window.columns.begin; column < window.columns.end; ++column) {
        const int32_t at = static_cast<int32_t>(row * p.w + column);
        const T value = image[at];
        if (!is_above(value, best)) continue;
        best = value;
        won = at;
      }
    y[i] = best;
    winner[i] = won;
  }
}

/// Every pixel collects from the windows that it may have won.
template <class T>
__global__ void __launch_bounds__(kThreads)
    max_pool_backward_kernel(PoolProblem p, PlaneIndex pixels, const T* dy, const int32_t* winner,
                             T* dx) {
  const uint32_t n = p.planes * pixels.area;
  for (uint32_t i = first_index(); i < n; i += index_step()) {
    const PlaneIndex::Place place = pixels.at(i);
    const Inside windows = windows_at(p, place);
    const int64_t plane = place.plane * p.oh * p.ow;
    const int32_t pixel = static_cast<int32_t>(place.row * p.w + place.column);
    T sum = 0;
    for (int64_t row = windows.rows.begin; row < windows.rows.end; ++row)
      for (int64_t column = windows.columns.begin; column < windows.columns.end; ++column) {
        const int64_t at = plane + row * p.ow + column;
        if (winner[at] == pixel) sum += dy[at];
      }
    dx[i] = sum;
  }
}

/// The mean of every window, by a team each.
template <class Team, class T>
__global__ void __launch_bounds__(kThreads)
    avg_pool_kernel(PoolProblem p, PlaneIndex outputs, const T* x, T* y) {
  const Team team;
  const uint32_t n = p.planes * outputs.area;
  for (uint32_t i = Team::first(); i < n; i += Team::step()) {
    const PlaneIndex::Place place = outputs.at(i);
    const auto [rows, columns] = window_at(p, place);
    const T* image = x + place.plane * p.h * p.w;
    double sum = 0;
    for (int64_t row = rows.begin; row < rows.end; ++row)
      for (int64_t column = columns.begin + team.rank(); column < columns.end;
           column += team.size())
        sum += image[row * p.w + column];
    sum = team.reduce(sum, Plus{});
    if (team.rank() == 0)
      y[i] = static_cast<T>(sum / static_cast<double>(counted(p, rows, columns)));
  }
}

template <class T>
__global__ void __launch_bounds__(kThreads)
    avg_pool_backward_kernel(PoolProblem p, PlaneIndex pixels, const T* dy, T* dx) {
  const uint32_t n = p.planes * pixels.area;
  for (uint32_t i = first_index(); i < n; i += index_step()) {
    const PlaneIndex::Place place = pixels.at(i);
    const Inside windows = windows_at(p, place);
    T sum = 0;
    for (int row = windows.rows.begin; row < windows.rows.end; ++row)
      for (int column = windows.columns.begin; column < windows.columns.end; ++column) {
        const auto [rows, columns] = window_at(p, {place.plane, row, column});
        sum += dy[(place.plane * p.oh + row) * p.ow + column] /
               static_cast<T>(counted(p, rows, columns));
      }
    dx[i] = sum;
  }
}

/// Calls f(part, first input, first output) for as many planes at a time as 32-bit indices can
/// count.
template <class F>
void for_planes(const PoolProblem& p, F&& f) {
  const int64_t inputs = p.h * p.w, outputs = p.oh * p.ow;
  const int64_t largest = std::max<int64_t>(1, std::max(inputs, outputs));
  const int64_t at_once = std::max<int64_t>(1, std::numeric_limits<int32_t>::max() / largest);
  PoolProblem part = p;
  for (int64_t first = 0; first < p.planes; first += at_once) {
    part.planes = std::min(at_once, p.planes - first);
    f(part, first * inputs, first * outputs);
  }
}

// ---------------------------------------------------------------------------------- launchers

void max_pool_forward(const PoolProblem& problem, const Tensor& x, Tensor& y, Tensor& winner) {
  dispatch_floating(x.dtype(), "max_pool2d", [&]<class T>(T) {
    for_planes(problem, [&](const PoolProblem& p, int64_t in, int64_t out) {
      launch("max_pool2d", blocks_for(p.planes * p.oh * p.ow), max_pool_kernel<T>, p,
             PlaneIndex(p.oh, p.ow), x.address<T>() + in, y.mutable_address<T>() + out,
             winner.mutable_address<int32_t>() + out);
    });
  });
}

void max_pool_backward(const PoolProblem& problem, const Tensor& dy, const Tensor& winner,
                       Tensor& dx) {
  dispatch_floating(dy.dtype(), "max_pool2d", [&]<class T>(T) {
    for_planes(problem, [&](const PoolProblem& p, int64_t in, int64_t out) {
      launch("backward of max_pool2d", blocks_for(p.planes * p.h * p.w),
             max_pool_backward_kernel<T>, p, PlaneIndex(p.h, p.w), dy.address<T>() + out,
             winner.address<int32_t>() + out, dx.mutable_address<T>() + in);
    });
  });
}

void avg_pool_forward(const PoolProblem& problem, const Tensor& x, Tensor& y) {
  dispatch_floating(x.dtype(), "avg_pool2d", [&]<class T>(T) {
    for_planes(problem, [&](const PoolProblem& p, int64_t in, int64_t out) {
      auto run = [&](auto team) {
        launch("avg_pool2d", blocks_for(p.planes * p.oh * p.ow, team.kTeamsPerBlock),
               avg_pool_kernel<decltype(team), T>, p, PlaneIndex(p.oh, p.ow), x.address<T>() + in,
               y.mutable_address<T>() + out);
      };
      if (p.kernel.w >= kWarpSize / 4)  // a warp's lanes read along a row
        run(WarpTeam{});
      else
        run(ThreadTeam{});
    });
  });
}

void avg_pool_backward(const PoolProblem& problem, const Tensor& dy, Tensor& dx) {
  dispatch_floating(dy.dtype(), "avg_pool2d", [&]<class T>(T) {
    for_planes(problem, [&](const PoolProblem& p, int64_t in, int64_t out) {
      launch("backward of avg_pool2d", blocks_for(p.planes * p.h * p.w),
             avg_pool_backward_kernel<T>, p, PlaneIndex(p.h, p.w), dy.address<T>() + out,
             dx.mutable_address<T>() + in);
    });
  });
}

}  // namespace

void add_pool(Kernels& kernels) {
  kernels.max_pool_forward = max_pool_forward;
  kernels.max_pool_backward = max_pool_backward;
  kernels.avg_pool_forward = avg_pool_forward;
  kernels.avg_pool_backward = avg_pool_backward;
}

}  // namespace pade::cuda
