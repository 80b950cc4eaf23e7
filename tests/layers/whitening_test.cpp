#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include <pade/core/error.h>
#include <pade/core/ops/conv2d.h>
#include <pade/core/random.h>
#include <pade/layers/whitening.h>

using namespace pade;

namespace {

/// Images whose neighbouring pixels and channels are alike, in which some of all patches' variance
/// is missing.
Tensor smooth_images() {
  const Tensor noise = Rng(1).normal({40, 2, 9, 7}, 0.3, 1),
               weight = Rng(2).normal({2, 2, 2, 2}, 0.5, 1);
  return conv2d(noise, weight);
}

/// The mean over images and places of y_a · y_b, for channels of y.
double moment(const Tensor& y, int64_t a, int64_t b) {
  double sum = 0;
  int64_t number = 0;
  for (int64_t n = 0; n < y.extent(0); ++n)
    for (int64_t i = 0; i < y.extent(2); ++i)
      for (int64_t j = 0; j < y.extent(3); ++j, ++number)
        sum += y.at({n, a, i, j}) * y.at({n, b, i, j});
  return sum / static_cast<double>(number);
}

}  // namespace

TEST_CASE("whitened patches are uncorrelated, and as strong as eps lets them be") {
  const Tensor images = smooth_images();
  for (const Size2 kernel : {Size2(2), Size2(1, 3)}) {
    const int64_t k = 2 * kernel.area();
    const double eps = 1e-2;
    const Tensor filters = whitening_filters(images, kernel, eps);
    REQUIRE(filters.shape() == Shape{2 * k, 2, kernel.h, kernel.w});
    const Tensor y = conv2d(images, filters);
    double before = std::numeric_limits<double>::infinity();
    for (int64_t a = 0; a < k; ++a) {
      // A filter's square sum is 1/(λ + eps), and what it gives has the second moment λ/(λ + eps).
      double squares = 0;
      for (int64_t i = 0; i < k; ++i)
        squares += std::pow(filters.reshape({2 * k, k}).at({a, i}), 2);
      const double lambda = 1 / squares - eps;
      CHECK(moment(y, a, a) == doctest::Approx(lambda * squares).epsilon(1e-4));
      CHECK(lambda <= before);
      before = lambda;
      for (int64_t b = 0; b < a; ++b) CHECK(std::abs(moment(y, a, b)) < 1e-5);
    }
    const std::vector<float> all = filters.to_vector<float>();
    for (size_t i = 0; i < all.size() / 2; ++i) CHECK(all[i] == -all[i + all.size() / 2]);
  }
}

TEST_CASE("whitening refuses images without patches") {
  const Tensor images = Tensor::zeros({2, 3, 4, 4});
  CHECK_THROWS_WITH_AS((void)whitening_filters(images, 5),
                       "whitening_filters: images [2, 3, 4, 4] have no patch of 5×5", Error);
  CHECK_THROWS_AS((void)whitening_filters(Tensor::zeros({0, 3, 4, 4}), 2), Error);
  CHECK_THROWS_AS((void)whitening_filters(Tensor::zeros({3, 4, 4}), 2), Error);
  CHECK_THROWS_AS((void)whitening_filters(images, 2, 0), Error);
  CHECK_THROWS_WITH_AS((void)whitening_filters(
                           Tensor::full({2, 1, 4, 4}, std::numeric_limits<float>::quiet_NaN()), 2),
                       "whitening_filters: some of the images' numbers are not finite", Error);
}
