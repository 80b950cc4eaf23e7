#include <algorithm>
#include <cmath>
#include <vector>

#include <pade/core/error.h>
#include <pade/layers/whitening.h>

// LAPACK, which OpenBLAS contains.
extern "C" void dsyev_(const char* jobz, const char* uplo, const int* n, double* a, const int* lda,
                       double* w, double* work, const int* lwork, int* info);

namespace pade {
namespace {

/// The mean of p pᵀ, [K, K] of which one triangle is filled.
std::vector<double> second_moments(const Tensor& images, Size2 kernel) {
  const int64_t channels = images.extent(1), h = images.extent(2), w = images.extent(3);
  const int64_t rows = h - kernel.h + 1, columns = w - kernel.w + 1;
  const auto k = static_cast<size_t>(channels * kernel.area());
  const float* image = images.data<float>();
  std::vector<double> moments(k * k), patch(k);
  for (int64_t i = 0; i < images.extent(0); ++i, image += channels * h * w)
    for (int64_t place = 0; place < rows * columns; ++place) {
      const float* const corner = image + place / columns * w + place % columns;
      double* element = patch.data();
      for (int64_t c = 0; c < channels; ++c)
        for (int64_t y = 0; y < kernel.h; ++y)
          for (int64_t x = 0; x < kernel.w; ++x) *element++ = corner[(c * h + y) * w + x];
      for (size_t a = 0; a < k; ++a)
        for (size_t b = 0; b <= a; ++b) moments[a * k + b] += patch[a] * patch[b];
    }
  const auto patches = static_cast<double>(images.extent(0) * rows * columns);
  for (double& moment : moments) moment /= patches;
  return moments;
}

}  // namespace

Tensor whitening_filters(const Tensor& images, Size2 kernel, double eps) {
  check(images.defined() && images.dtype() == DType::float32 && images.rank() == 4 &&
            images.device() == Device::cpu,
        "whitening_filters: expected float32 images [N, C, H, W] on the CPU");
  check(kernel.h >= 1 && kernel.w >= 1 && images.size() > 0 && images.extent(2) >= kernel.h &&
            images.extent(3) >= kernel.w,
        "whitening_filters: images ", images.shape(), " have no patch of ", kernel);
  check(eps > 0, "whitening_filters: expected an eps above 0, got ", eps);
  std::vector<double> vectors = second_moments(images, kernel);
  check(std::ranges::all_of(vectors, [](double moment) { return std::isfinite(moment); }),
        "whitening_filters: some of the images' numbers are not finite");
  const int n = static_cast<int>(images.extent(1) * kernel.area()), room = 34 * n;
  std::vector<double> values(n), work(room);
  int info = 0;  // the vectors take the place of the matrix, one after the other, smallest λ first
  dsyev_("V", "U", &n, vectors.data(), &n, values.data(), work.data(), &room, &info);
  check(info == 0, "whitening_filters: the eigenvalues of the patches did not converge");
  std::vector<float> filters;
  for (const double sign : {1.0, -1.0})
    for (int i = n - 1; i >= 0; --i) {
      const double factor = sign / std::sqrt(std::max(values[i], 0.0) + eps);
      for (int j = 0; j < n; ++j)
        filters.push_back(static_cast<float>(factor * vectors[i * n + j]));
    }
  return Tensor::from(filters, {2 * n, images.extent(1), kernel.h, kernel.w});
}

}  // namespace pade
