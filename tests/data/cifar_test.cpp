#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string>

#include <pade/core/error.h>
#include <pade/data/cifar.h>
#include <tests/temporary_folder.h>

using namespace pade;
using namespace pade::data;
using pade::testing::contents_of;
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
    CHECK(train.class_names()[0] == "airplane");
    CHECK(train.class_names()[9] == "truck");
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
  CHECK(std::ranges::is_sorted(fine.class_names()));  // as its authors numbered them
  CHECK(fine.class_names()[41] == "lawn_mower");
  CHECK(labels_of(fine) == std::vector<int32_t>{99, 7});
  check_images(fine, 3);
  const Cifar100 coarse(folder.path(), Split::train, Cifar100::Labels::coarse);
  CHECK(coarse.name() == "cifar100-coarse");
  CHECK(coarse.num_classes() == 20);
  CHECK(std::ranges::is_sorted(coarse.class_names()));
  CHECK(coarse.class_names()[14] == "people");
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

namespace {

std::string pickle(const std::string& name) {
  return contents_of(std::filesystem::path(PADE_FIXTURES) / "pickles" / name);
}

}  // namespace

TEST_CASE("CIFAR's Python version gives what the binary one gives") {
  const TemporaryFolder folder;
  const std::string below = "cifar-10-batches-py/", python2 = pickle("cifar10_python2"),
                    python3 = pickle("cifar10_python3");
  for (const char* name : {"data_batch_1", "data_batch_2", "data_batch_4", "data_batch_5"})
    folder.write(below + name, python2);
  folder.write(below + "data_batch_3", python3);
  folder.write(below + "test_batch", python3);
  for (const auto& place : {folder.path(), folder / "cifar-10-batches-py"}) {
    CHECK(labels_of(Cifar10(place, Split::train)) == std::vector<int32_t>{6, 6, 6, 9, 6, 6});
    const Cifar10 test(place, Split::test);
    CHECK(labels_of(test) == std::vector<int32_t>{6, 9});
    check_images(test, 60);
    CHECK(find_batch(folder / "cifar-10-batches-py", "test_batch.bin") ==
          folder / "cifar-10-batches-py/test_batch");
  }
  folder.write(below + "test_batch", python2);
  check_images(Cifar10(folder.path(), Split::test), 40);
  // Where both are, the binary one is taken.
  write_cifar10(folder, "cifar-10-batches-bin/");
  CHECK(Cifar10(folder.path(), Split::test).size() == 3);
  folder.write(below + "test_batch.bin", "");
  CHECK(find_batch(folder / below, "test_batch.bin") == folder / below / "test_batch.bin");

  folder.write("cifar-100-python/train", pickle("cifar100_python2"));
  const Cifar100 fine(folder.path(), Split::train);
  CHECK(labels_of(fine) == std::vector<int32_t>{19});
  check_images(fine, 50);
  CHECK(labels_of(Cifar100(folder.path(), Split::train, Cifar100::Labels::coarse)) ==
        std::vector<int32_t>{11});
}

TEST_CASE("CIFAR's Python version is not trusted, and nothing in it is run") {
  const TemporaryFolder folder;
  const auto message = [&](const std::string& bytes) -> std::string {
    folder.write("test_batch", bytes);
    try {
      Cifar10(folder.path(), Split::test);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  const auto refusal = [&](const std::string& reason) {
    return (folder / "test_batch").string() +
           ": this is not a file of CIFAR's python version as it should be: " + reason +
           "; get it again, or the binary version";
  };
  CHECK(message(pickle("hostile")) ==
        refusal("it asks for posix.system, which is not part of an array, and is not run"));
  CHECK(message("") == refusal("it is truncated"));
  CHECK(message("<html>") ==
        refusal("it holds something else than numbers, strings, lists, dictionaries and arrays "
                "(opcode 60)"));
  CHECK(message("\x80\x04.") == refusal("its protocol is newer than 3"));
  CHECK(message("\x80\2}.") == refusal("there is no \"data\" in it"));
  CHECK(message(pickle("cifar100_python2")) == refusal("there is no \"labels\" in it"));
  for (const std::string wrong : {"a", "e", "t", "b", "s", "u", "R", "h\1", "]b", "}(", "K\1a"})
    CHECK(message(wrong + ".") != "");
  // A thousand bytes that ask for four gigabytes, and as many parts as there is room for.
  CHECK(message("T\xFF\xFF\xFF\xFF" + std::string(1000, 'x')) == refusal("it is truncated"));
  CHECK(message(std::string(2 << 20, ']')) == refusal("it consists of more parts than CIFAR's"));
  CHECK(message(std::string(1 << 19, ']') + std::string((1 << 19) - 1, 'a') + '.') ==
        refusal("there is no \"data\" in it"));

  const std::string whole = pickle("cifar10_python2");
  CHECK(message(whole) == "");
  size_t accepted = 0;
  for (size_t size = 0; size < whole.size(); size += size < 300 || size > 3200 ? 1 : 97)
    accepted += message(whole.substr(0, size)).empty();
  CHECK(accepted == 0);
  const auto with = [&](const std::string& what, const std::string& instead) {
    std::string changed = whole;
    const size_t at = changed.find(what);
    REQUIRE(at != std::string::npos);
    return message(changed.replace(at, what.size(), instead));
  };
  CHECK(with("K\6a",
             "K\xFF"
             "a")
            .ends_with(": the label of record 0 is 255, expected 0 to 9; the "
                       "file is damaged"));
  CHECK(with("K\6a",
             "J\xFF\xFF\xFF\xFF"
             "a") == refusal("the label of image 0 is not a number from 0 to 255"));
  CHECK(with("K\6a", "K\6aK\6a") == refusal("there are 2 \"labels\" for 1 images"));
  CHECK(with({"M\0\x0C", 3}, "M\1\x0C") ==
        refusal("its pixels are 3072 bytes, expected an array [N, 3072]"));
  CHECK(with("u1", "i8") == refusal("its pixels have the type \"i8\", expected \"u1\" (uint8)"));
}
