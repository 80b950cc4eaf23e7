#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include <pade/core/error.h>
#include <pade/core/ops/reduce.h>
#include <pade/core/random.h>
#include <pade/core/tape.h>
#include <pade/data/loader.h>
#include <pade/layers/linear.h>
#include <pade/optim/sgd.h>

#include "tests/data/synthetic_set.h"
#include "tests/devices.h"

using namespace pade;
using data::Loader;
using data::LoaderOptions;
using data::TensorDataset;

namespace {

using Floats = std::vector<float>;

/// Row i of the features is {i, −i, i + 0.5}, the target is i.
template <class Target>
TensorDataset numbered(int64_t size) {
  Floats features;
  std::vector<Target> targets(static_cast<size_t>(size));
  std::iota(targets.begin(), targets.end(), Target{0});
  for (int64_t i = 0; i < size; ++i) {
    const auto x = static_cast<float>(i);
    features.insert(features.end(), {x, -x, x + 0.5f});
  }
  return {Tensor::from(features, {size, 3}), Tensor::from(targets, {size})};
}

/// The targets of all batches, one after another; checks that each has its own features beside it.
template <class Target>
std::vector<Target> run(Loader& loader) {
  std::vector<Target> all;
  for (auto [features, targets] : loader) {
    const int64_t count = targets.extent(0);
    CHECK(features.shape() == Shape{count, 3});
    const auto x = features.template to_vector<float>();
    const auto y = targets.template to_vector<Target>();
    for (size_t i = 0; i < y.size(); ++i) {
      const auto expected = static_cast<float>(y[i]);
      CHECK(Floats(x.begin() + 3 * i, x.begin() + 3 * i + 3) ==
            Floats{expected, -expected, expected + 0.5f});
    }
    all.insert(all.end(), y.begin(), y.end());
  }
  return all;
}

}  // namespace

DEVICE_TEST_CASE(
    "a TensorDataset's rows come in order, each with its target, the last batch shorter") {
  Loader loader(numbered<int32_t>(7), {.batch_size = 3, .device = device});
  CHECK(loader.size() == 3);
  CHECK(loader.images() == 7);
  CHECK(run<int32_t>(loader) == std::vector<int32_t>{0, 1, 2, 3, 4, 5, 6});
  for (auto [features, targets] : loader) {
    CHECK(features.device() == device);
    CHECK(targets.device() == device);
    CHECK(targets.dtype() == DType::int32);
  }
  CHECK(Loader(numbered<float>(7), {.batch_size = 3, .drop_last = true}).images() == 6);
}

TEST_CASE("a TensorDataset is shuffled as images are, within the limit, and goes on anywhere") {
  for (const int64_t prefetch : {0, 2}) {
    const LoaderOptions options{
        .batch_size = 4, .shuffle = true, .seed = 3, .limit = 17, .prefetch = prefetch};
    Loader loader(numbered<double>(30), options);
    std::vector<std::vector<double>> epochs;
    for (uint64_t epoch = 0; epoch < 3; ++epoch) {
      epochs.push_back(run<double>(loader));
      const std::vector<int64_t> order = Rng(3, "shuffle", epoch).permutation(17);
      CHECK(epochs.back() == std::vector<double>(order.begin(), order.end()));
    }
    loader.set_epoch(1, 2);
    const std::vector<double> rest = run<double>(loader);
    CHECK(rest == std::vector<double>(epochs[1].begin() + 8, epochs[1].end()));
    CHECK(run<double>(loader) == epochs[2]);
  }
}

TEST_CASE("rows of any rank and dtype are batched") {
  const Tensor images = Tensor::from<uint8_t>({1, 2, 3, 4, 5, 6, 7, 8}, {2, 1, 2, 2});
  for (auto [x, y] :
       Loader(TensorDataset(images, Tensor::ones({2, 3, 1}, DType::float64)), {.batch_size = 1})) {
    CHECK(x.shape() == Shape{1, 1, 2, 2});
    CHECK(x.dtype() == DType::uint8);
    CHECK(y.shape() == Shape{1, 3, 1});
    CHECK(y.dtype() == DType::float64);
  }
}

TEST_CASE("a line is found from float features and float targets") {
  const Tensor x = Rng(1).uniform({64, 2}, -1, 1);
  std::vector<float> y;
  for (int64_t i = 0; i < 64; ++i)
    y.push_back(static_cast<float>(2 * x.at({i, 0}) - 3 * x.at({i, 1}) + 0.5));
  manual_seed(1);
  Linear line(2, 1);
  Sgd optimizer(line.parameters(), {.lr = 0.3});
  Loader loader(TensorDataset(x, Tensor::from(y, {64, 1})), {.batch_size = 16, .shuffle = true});
  for (int epoch = 0; epoch < 60; ++epoch)
    for (auto [features, targets] : loader) {
      Tape tape;
      tape.backward(mse(line(features), targets));
      optimizer.step();
    }
  CHECK(line.weight.at({0, 0}) == doctest::Approx(2).epsilon(1e-4));
  CHECK(line.weight.at({0, 1}) == doctest::Approx(-3).epsilon(1e-4));
  CHECK(line.bias.at({0}) == doctest::Approx(0.5).epsilon(1e-4));
}

TEST_CASE("a TensorDataset refuses what does not fit together") {
  const Tensor x = Tensor::ones({3, 2});
  CHECK_THROWS_WITH_AS(TensorDataset(x, Tensor::ones({2})),
                       "TensorDataset: expected features [N, …] and targets [N, …], got [3, 2] and "
                       "[2]",
                       Error);
  CHECK_THROWS_WITH_AS(TensorDataset(Tensor::scalar(1), Tensor::scalar(1)),
                       doctest::Contains("got [] and []"), Error);
  CHECK_THROWS_WITH_AS(TensorDataset(x, Tensor()),
                       "TensorDataset: the targets are undefined; assign a tensor to them first",
                       Error);
  CHECK_THROWS_WITH_AS(TensorDataset(Tensor::ones({0, 2}), Tensor::ones({0})),
                       "TensorDataset: there are no samples (features [0, 2], targets [0])", Error);
  const TensorDataset set(x, Tensor::ones({3}));
  CHECK_THROWS_WITH_AS(Loader(set, {.augment = {data::HorizontalFlip{}}}),
                       doctest::Contains("Loader: only images of a Dataset are augmented "
                                         "(horizontal_flip(p=0.5)); change the batches"),
                       Error);
  CHECK_THROWS_WITH_AS(Loader(set).dataset(),
                       "Loader: it is made of a TensorDataset, not of a Dataset", Error);
  const pade::testing::SyntheticSet images(3);
  CHECK(&Loader(images).dataset() == &images);
}

TEST_CASE("a TensorDataset refuses tensors of the GPU [cuda]") {
  const Tensor here = Tensor::ones({2});
  CHECK_THROWS_WITH_AS(TensorDataset(here.to(Device::cuda), here),
                       doctest::Contains("expected tensors on the CPU"), Error);
}
