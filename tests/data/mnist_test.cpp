#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <filesystem>
#include <utility>

#include <pade/core/error.h>
#include <pade/data/mnist.h>
#include <tests/data/idx_files.h>
#include <tests/temporary_folder.h>

using namespace pade;
using data::FashionMnist;
using data::Mnist;
using data::Split;
using pade::testing::gzip_bytes;
using pade::testing::idx_bytes;
using pade::testing::TemporaryFolder;

namespace {

/// Pixels of image i are all 10·i.
std::string images_file(uint32_t count) {
  std::string pixels;
  for (uint32_t i = 0; i < count; ++i) pixels += std::string(28 * 28, static_cast<char>(10 * i));
  return idx_bytes({count, 28, 28}, pixels);
}

constexpr const char* kFashion = "/usr/share/datasets/fashion-mnist";

}  // namespace

TEST_CASE("Mnist reads its four files, gzip'd or not") {
  const TemporaryFolder folder;
  folder.write("train-images-idx3-ubyte", images_file(3));
  folder.write("train-labels-idx1-ubyte.gz", gzip_bytes(idx_bytes({3}, {5, 0, 9})));
  folder.write("t10k-images.idx3-ubyte.gz", gzip_bytes(images_file(2)));
  folder.write("t10k-labels-idx1-ubyte", idx_bytes({2}, {1, 2}));
  const Mnist train(folder.path(), Split::train);
  CHECK(train.name() == "mnist");
  CHECK(train.size() == 3);
  CHECK(train.image_shape() == Shape{1, 28, 28});
  CHECK(train.num_classes() == 10);
  CHECK(train.class_names()[7] == "7");
  CHECK(train.mean() == std::vector<double>{0.1307});
  CHECK(train.std() == std::vector<double>{0.3081});
  std::array<float, 784> image;
  int32_t label = -1;
  train.load(2, image.data(), label);
  CHECK(label == 9);
  CHECK(image[0] == static_cast<float>((20 / 255.0 - 0.1307) / 0.3081));
  CHECK(image[783] == image[0]);
  CHECK(Mnist(folder.path(), Split::test).size() == 2);
  const FashionMnist fashion(folder.path(), Split::test);
  CHECK(fashion.name() == "fashion-mnist");
  CHECK(fashion.class_names()[9] == "Ankle boot");
}

TEST_CASE("Mnist refuses a set without images, by name") {
  const TemporaryFolder folder;
  for (const std::string part : {"train", "t10k"}) {
    folder.write(part + "-images-idx3-ubyte", images_file(0));
    folder.write(part + "-labels-idx1-ubyte", idx_bytes({0}, ""));
  }
  for (const auto& [split, file] : {std::pair{Split::train, "train-images-idx3-ubyte"},
                                    std::pair{Split::test, "t10k-images-idx3-ubyte"}})
    CHECK_THROWS_WITH_AS(
        Mnist(folder.path(), split),
        doctest::Contains(((folder / file).string() + ": there are no images in it").c_str()),
        Error);
}

TEST_CASE("Mnist says what is wrong with its files") {
  const TemporaryFolder folder;
  const auto load = [&] { Mnist(folder.path(), Split::train); };
  const std::string images = "train-images-idx3-ubyte", labels = "train-labels-idx1-ubyte";
  CHECK_THROWS_WITH_AS(
      load(),
      (folder.path().string() + " has neither train-images-idx3-ubyte nor "
                                "train-images-idx3-ubyte.gz, nor the same with a dot in front of "
                                "idx; give the folder that holds them")
          .c_str(),
      Error);
  folder.write(images, images_file(2));
  CHECK_THROWS_WITH_AS(load(), doctest::Contains("has neither train-labels-idx1-ubyte nor"), Error);
  folder.write(labels, idx_bytes({3}, {0, 1, 2}));
  CHECK_THROWS_WITH_AS(
      load(),
      doctest::Contains("there are 2 train images and 3 labels; the files do not belong together"),
      Error);
  folder.write(labels, idx_bytes({2}, {0, 10}));
  CHECK_THROWS_WITH_AS(load(), doctest::Contains("label 1 is 10, expected 0 to 9; the file is dam"),
                       Error);
  folder.write(labels, images_file(2));
  CHECK_THROWS_WITH_AS(
      load(), doctest::Contains("expected labels, got 2 images; were the files swapped?"), Error);
  folder.write(labels, idx_bytes({2, 1}, {0, 1}));
  CHECK_THROWS_WITH_AS(load(), doctest::Contains("expected labels [N], got [2, 1]"), Error);
  folder.write(images, idx_bytes({2}, {0, 1}));
  CHECK_THROWS_WITH_AS(
      load(), doctest::Contains("expected images, got 2 labels; were the files swapped?"), Error);
  folder.write(images, idx_bytes({1, 2, 3}, "abcdef"));
  CHECK_THROWS_WITH_AS(load(), doctest::Contains("expected images [N, 28, 28], got [1, 2, 3]"),
                       Error);
}

TEST_CASE("the real Fashion-MNIST has the size, the balance and the figures it is known for") {
  if (!std::filesystem::exists(kFashion)) {
    MESSAGE("not run: there is no ", kFashion, " (apt-get install dataset-fashion-mnist)");
    return;
  }
  const FashionMnist test(kFashion, Split::test);
  const FashionMnist train(kFashion, Split::train);
  CHECK(test.size() == 10'000);
  REQUIRE(train.size() == 60'000);
  std::array<int, 10> per_class{};
  std::array<float, 784> image;
  double sum = 0, sum_of_squares = 0;
  for (int64_t i = 0; i < train.size(); ++i) {
    int32_t label = 0;
    train.load(i, image.data(), label);
    ++per_class[static_cast<size_t>(label)];
    for (const double value : image) {
      sum += value;
      sum_of_squares += value * value;
    }
  }
  for (const int count : per_class) CHECK(count == 6000);
  const double mean = sum / (784.0 * 60'000);
  CHECK(std::abs(mean) <= 3e-4);
  CHECK(std::abs(std::sqrt(sum_of_squares / (784.0 * 60'000) - mean * mean) - 1) <= 3e-4);

  int32_t first = -1;
  train.load(0, image.data(), first);
  CHECK(first == 9);  // an ankle boot
}
