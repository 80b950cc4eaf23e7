#include <doctest/doctest.h>

#include <array>
#include <string>

#include <pade/core/error.h>
#include <pade/data/cifar.h>
#include <tests/temporary_folder.h>

using namespace pade;
using namespace pade::data;
using pade::testing::TemporaryFolder;

namespace {

/// Pixel i of image `n` of a file.
uint8_t pixel(int n, int i) { return static_cast<uint8_t>(n * 31 + i * 7 + i / 1024); }

/// A file of records with these labels in front of the pixels; image i is number first + i.
std::string records(const std::vector<std::string>& labels, int first) {
  std::string bytes;
  for (const std::string& label : labels) {
    bytes += label;
    for (int i = 0; i < 3072; ++i) bytes += static_cast<char>(pixel(first, i));
    ++first;
  }
  return bytes;
}

void check_images(const Dataset& set, int first) {
  for (int64_t index = 0; index < set.size(); ++index) {
    std::array<uint8_t, 3072> pixels;
    set.read(index, pixels.data());
    int wrong = 0;
    for (int i = 0; i < 3072; ++i) wrong += pixels[i] != pixel(first + static_cast<int>(index), i);
    CHECK(wrong == 0);
  }
}

std::vector<int32_t> labels_of(const Dataset& set) {
  std::vector<int32_t> labels;
  std::array<uint8_t, 3072> pixels;
  for (int64_t i = 0; i < set.size(); ++i) labels.push_back(set.read(i, pixels.data()));
  return labels;
}

void write_cifar10(const TemporaryFolder& folder, const std::string& below) {
  for (int batch = 1; batch <= 5; ++batch)
    folder.write(below + "data_batch_" + std::to_string(batch) + ".bin",
                 records({std::string(1, static_cast<char>(batch)), "\x9"}, 10 * batch));
  folder.write(below + "test_batch.bin", records({std::string(1, '\0'), "\3", "\7"}, 5));
}

}  // namespace

TEST_CASE("Cifar10 reads the five batches in order, and the test batch") {
  const TemporaryFolder folder;
  write_cifar10(folder, "cifar-10-batches-bin/");
  for (const auto& place : {folder.path(), folder / "cifar-10-batches-bin"}) {
    const Cifar10 train(place, Split::train), test(place, Split::test);
    CHECK(train.name() == "cifar10");
    CHECK(train.image_shape() == Shape{3, 32, 32});
    CHECK(train.num_classes() == 10);
    CHECK(labels_of(train) == std::vector<int32_t>{1, 9, 2, 9, 3, 9, 4, 9, 5, 9});
    CHECK(labels_of(test) == std::vector<int32_t>{0, 3, 7});
    check_images(test, 5);
    std::array<uint8_t, 3072> pixels;
    train.read(7, pixels.data());  // the second of the fourth batch
    CHECK(pixels[3000] == pixel(41, 3000));
  }
}

TEST_CASE("Cifar100 gives fine labels, or coarse ones") {
  const TemporaryFolder folder;
  folder.write("cifar-100-binary/train.bin", records({{19, 99}, {0, 7}}, 3));
  folder.write("cifar-100-binary/test.bin", records({{4, 0}}, 9));
  const Cifar100 fine(folder.path(), Split::train);
  CHECK(fine.name() == "cifar100");
  CHECK(fine.num_classes() == 100);
  CHECK(labels_of(fine) == std::vector<int32_t>{99, 7});
  check_images(fine, 3);
  const Cifar100 coarse(folder.path(), Split::train, Cifar100::Labels::coarse);
  CHECK(coarse.name() == "cifar100-coarse");
  CHECK(coarse.num_classes() == 20);
  CHECK(labels_of(coarse) == std::vector<int32_t>{19, 0});
  check_images(coarse, 3);
  check_images(Cifar100(folder / "cifar-100-binary", Split::test), 9);
}

TEST_CASE("CIFAR's files are not trusted") {
  const TemporaryFolder folder;
  const auto message = [&](const std::string& file, const std::string& what) {
    return (folder / file).string() + what;
  };
  CHECK_THROWS_WITH_AS(
      Cifar10(folder.path(), Split::test),
      ("cannot read " + message("test_batch.bin", ": No such file or directory")).c_str(), Error);

  write_cifar10(folder, "");
  const std::string whole = records({"\1", "\2"}, 0);
  for (const size_t bytes : {size_t{0}, size_t{1}, whole.size() - 1, whole.size() + 1}) {
    folder.write("data_batch_3.bin", (whole + "x").substr(0, bytes));
    CHECK_THROWS_WITH_AS(Cifar10(folder.path(), Split::train),
                         message("data_batch_3.bin", ": expected records of 3073 bytes each, got " +
                                                         std::to_string(bytes) +
                                                         " bytes in all; an incomplete "
                                                         "download? Delete it and get it again")
                             .c_str(),
                         Error);
  }
  folder.write("data_batch_3.bin", records({"\1", "\n"}, 0));
  CHECK_THROWS_WITH_AS(Cifar10(folder.path(), Split::train),
                       message("data_batch_3.bin",
                               ": the label of record 1 is 10, expected 0 to 9; the file is "
                               "damaged")
                           .c_str(),
                       Error);
  // Coarse labels are looked at also where the fine ones are wanted, and the other way round.
  folder.write("train.bin", records({{20, 3}}, 0));
  CHECK_THROWS_WITH_AS(Cifar100(folder.path(), Split::train),
                       doctest::Contains("the label of record 0 is 20, expected 0 to 19"), Error);
  folder.write("train.bin", records({{3, 100}}, 0));
  CHECK_THROWS_WITH_AS(Cifar100(folder.path(), Split::train, Cifar100::Labels::coarse),
                       doctest::Contains("the label of record 0 is 100, expected 0 to 99"), Error);
}
