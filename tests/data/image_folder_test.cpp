#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <map>
#include <set>
#include <utility>

#include <pade/core/error.h>
#include <pade/core/parallel.h>
#include <pade/data/image_folder.h>
#include <pade/data/open_dataset.h>
#include <tests/data/image_files.h>
#include <tests/temporary_folder.h>

using namespace pade;
using namespace pade::data;
using namespace pade::testing;

namespace {

/// A PNG of 32×32 pixels that are all `shade`, so that it stays as it is.
std::string plain_png(uint8_t shade) {
  return image_bytes(ImageFormat::png, 32, 32, 1, std::vector<uint8_t>(32 * 32, shade));
}

/// What is in a set: the first byte of each image, with its label.
using Shades = std::vector<std::pair<int, int>>;
Shades shades_of(const Dataset& set) {
  Shades shades;
  std::vector<uint8_t> pixels(static_cast<size_t>(set.image_shape().size()));
  for (int64_t i = 0; i < set.size(); ++i) {
    const int32_t label = set.read(i, pixels.data());
    shades.emplace_back(pixels[0], label);
  }
  return shades;
}

void write_classes(const TemporaryFolder& folder, const std::string& below, int images,
                   uint8_t first) {
  for (const std::string name : {"cat", "ant", "bee"})
    for (int i = 0; i < images; ++i)
      folder.write(below + name + "/" + std::to_string(i) + ".png", plain_png(first++));
}

template <class F>
std::string message_of(F&& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

std::string error_of(const std::filesystem::path& folder) {
  return message_of([&] { ImageFolder(folder, Split::train); });
}

}  // namespace

TEST_CASE("ImageFolder uses train and test, or what else they are called") {
  const std::pair<std::string, std::string> layouts[] = {
      {"train", "test"}, {"train", "val"},        {"train", "valid"},  {"train", "validation"},
      {"Train", "Test"}, {"Training", "Testing"}, {"TRAINING", "Val"}, {"train", "Validation"}};
  for (const auto& [first, second] : layouts) {
    CAPTURE(first);
    CAPTURE(second);
    const TemporaryFolder folder;
    write_classes(folder, first + "/", 2, 1);
    write_classes(folder, second + "/", 1, 101);
    const ImageFolder train(folder.path(), Split::train), test(folder.path(), Split::test);
    CHECK(train.class_names() == std::vector<std::string>{"ant", "bee", "cat"});
    CHECK(train.num_classes() == 3);
    CHECK(train.name() == folder.path().filename().string());
    CHECK(train.folder() == folder / first);
    CHECK(test.folder() == folder / second);
    CHECK(train.image_shape() == Shape{3, 32, 32});
    CHECK(shades_of(train) == Shades{{3, 0}, {4, 0}, {5, 1}, {6, 1}, {1, 2}, {2, 2}});
    CHECK(shades_of(test) == Shades{{102, 0}, {103, 1}, {101, 2}});
    CHECK(train.skipped().empty());
    CHECK(test.mean() == train.mean());
    CHECK(test.std() == train.std());
    if (second == "val") {  // test/ goes first, but not without classes
      folder.write("test/1.png", plain_png(9));
      CHECK(ImageFolder(folder.path(), Split::test).folder() == folder / "val");
      write_classes(folder, "test/", 1, 201);
      CHECK(shades_of(ImageFolder(folder.path(), Split::test)) ==
            Shades{{202, 0}, {203, 1}, {201, 2}});
    }
  }
}

TEST_CASE("a test folder that nobody has labelled is not a class") {
  const TemporaryFolder folder;
  write_classes(folder, "Train/", 5, 1);
  folder.write("Test/1.png", plain_png(1));
  const auto [train, test] = read_image_folder(folder.path());
  CHECK(train.class_names() == std::vector<std::string>{"ant", "bee", "cat"});
  CHECK(train.size() + test.size() == 15);
  CHECK(test.folder() == folder / "Train");

  const TemporaryFolder neither;
  for (const std::string name : {"train", "test"})
    for (const std::string file : {"1.png", "2.png"})
      neither.write(name + "/" + file, plain_png(1));
  CHECK(error_of(neither.path()) ==
        neither.path().string() +
            ": there are no folders in train; expected one for each class, with its images");
}

TEST_CASE("ImageFolder sets a share of each class aside, by the files' names") {
  const TemporaryFolder folder, elsewhere;
  write_classes(folder, "", 60, 0);
  write_classes(elsewhere, "deeper/", 60, 0);
  const ImageFolder train(folder.path(), Split::train), test(folder.path(), Split::test);
  std::map<int, int> per_class;
  std::set<int> all;
  for (const auto& [shade, label] : shades_of(test)) ++per_class[label], all.insert(shade);
  for (const auto& [shade, label] : shades_of(train)) all.insert(shade);
  CHECK(train.size() + test.size() == 180);
  CHECK(all.size() == 180);  // each image is in one of them
  for (int label = 0; label < 3; ++label) {
    CHECK(per_class[label] >= 6);
    CHECK(per_class[label] <= 18);
  }
  CHECK(shades_of(ImageFolder(elsewhere / "deeper", Split::test)) == shades_of(test));
  // The others stay on their side when images come.
  folder.write("bee/more.png", plain_png(250));
  Shades with_more = shades_of(ImageFolder(folder.path(), Split::test));
  std::erase(with_more, std::pair(250, 1));
  CHECK(with_more == shades_of(test));
  const ImageFolder half(folder.path(), Split::test, {.test_share = 0.5});
  CHECK(half.size() > 2 * test.size());
}

TEST_CASE("both sides of a class have an image where there are two") {
  for (int images = 1; images <= 4; ++images)
    for (const double share : {0.001, 0.999}) {
      const TemporaryFolder folder;
      write_classes(folder, "", images, 0);
      folder.write("ant/a.png", plain_png(100));
      const auto [train, test] = read_image_folder(folder.path(), {.test_share = share});
      std::array<int, 3> trained{}, tested{};
      for (const auto& [shade, label] : shades_of(train)) ++trained[label];
      for (const auto& [shade, label] : shades_of(test)) ++tested[label];
      for (int label = 0; label < 3; ++label) {
        const int count = images + (label == 0);
        CHECK(trained[label] + tested[label] == count);
        CHECK(trained[label] > 0);
        CHECK((tested[label] > 0) == (count > 1));
      }
    }
}

TEST_CASE("read_image_folder and open_datasets give what opening each split gives") {
  const TemporaryFolder folder;
  write_classes(folder, "", 9, 0);
  const ImageFolder train(folder.path(), Split::train), test(folder.path(), Split::test);
  const auto both = read_image_folder(folder.path());
  CHECK(shades_of(both.train) == shades_of(train));
  CHECK(shades_of(both.test) == shades_of(test));
  const std::string path = folder.path().string();
  const auto opened = open_datasets(path);
  CHECK(shades_of(*opened.train) == shades_of(train));
  CHECK(shades_of(*opened.test) == shades_of(test));
  CHECK(shades_of(*open_dataset(path, Split::test)) == shades_of(test));
}

TEST_CASE("ImageFolder measures mean and deviation of the images to train with") {
  const TemporaryFolder folder;
  const auto write = [&](const std::string& name, uint8_t red, uint8_t green) {
    std::vector<uint8_t> pixels;
    for (int i = 0; i < 64; ++i) pixels.insert(pixels.end(), {red, green, 77});
    folder.write(name, image_bytes(ImageFormat::png, 8, 8, 3, pixels));
  };
  write("train/a/1.png", 0, 10);
  write("train/b/1.png", 200, 30);
  write("test/a/1.png", 255, 255);
  write("test/b/1.png", 255, 255);
  const ImageFolder set(folder.path(), Split::test, {.size = 4});
  const std::vector<double> mean{100, 20, 77}, deviation{100, 10, 1};  // blue is all alike
  for (int c = 0; c < 3; ++c) {
    CHECK(set.mean()[c] == doctest::Approx(mean[c] / 255).epsilon(1e-12));
    CHECK(set.std()[c] == doctest::Approx(deviation[c] / 255).epsilon(1e-12));
  }
}

TEST_CASE("ImageFolder reads images of any size and kind, and lists those it cannot") {
  const TemporaryFolder folder;
  const auto image = [](ImageFormat format, int height, int width) {
    return image_bytes(format, height, width, 3,
                       std::vector<uint8_t>(static_cast<size_t>(3 * height * width), 90));
  };
  for (const std::string name : {"ant", "bee"}) {
    folder.write(name + "/a.png", image(ImageFormat::png, 100, 40));
    folder.write(name + "/b.JPG", image(ImageFormat::jpeg, 7, 9));
    folder.write(name + "/c.jpeg", image(ImageFormat::jpeg, 32, 32));
    folder.write(name + "/d.BMP", image(ImageFormat::bmp, 3, 300));
    folder.write(name + "/deep/er/e.png", image(ImageFormat::png, 1, 1));
    folder.write(name + "/f.jfif", image(ImageFormat::jpeg, 8, 8));
    folder.write(name + "/no_ending", image(ImageFormat::png, 8, 8));
    folder.write(name + "/png_in_truth.jpg", image(ImageFormat::png, 8, 8));
    folder.write(name + "/z.ppm", "P6 1 1 255\nZZZ");
    folder.write(name + "/.hidden.png", "hidden");
    folder.write(name + "/.hidden/f.png", "hidden");
  }
  folder.write(".git/a.png", "hidden");
  folder.write("README.txt", "ignored");
  folder.write("bee/notes.txt", "no image");
  folder.write("bee/f.png", "");
  folder.write("bee/g.png", "text");
  folder.write("bee/h.jpg", image(ImageFormat::jpeg, 8, 8).substr(0, 200));
  folder.write("bee/i.gif", "GIF89a");
  folder.write("bee/j.png", image(ImageFormat::png, 101, 100));
  std::filesystem::create_symlink(folder.path(), folder / "ant/loop");
  std::filesystem::create_symlink("..", folder / "bee/loop");
  std::filesystem::create_symlink(".", folder / "loop");
  std::filesystem::create_symlink(folder.path().parent_path(), folder / "outer");

  const ImageFolderOptions options{.size = {5, 6}, .max_pixels = 10000};
  const auto [train, test] = read_image_folder(folder.path(), options);
  CHECK(train.class_names() == std::vector<std::string>{"ant", "bee"});
  CHECK(train.size() + test.size() == 18);
  for (const ImageFolder* set : {&train, &test}) {
    CHECK(set->image_shape() == Shape{3, 5, 6});
    std::vector<uint8_t> pixels(90);
    for (int64_t i = 0; i < set->size(); ++i) {
      set->read(i, pixels.data());
      for (const uint8_t value : pixels) CHECK(std::abs(value - 90) <= 2);
    }
    std::vector<std::pair<std::string, std::string>> skipped;
    for (const SkippedFile& file : set->skipped())
      skipped.emplace_back(file.path.filename().string(), file.reason);
    CHECK(skipped == decltype(skipped){
                         {"f.png", "it is empty"},
                         {"g.png", "it is not a PNG, JPEG, BMP, PPM or PGM image"},
                         {"h.jpg", "it is truncated"},
                         {"i.gif", "it is a GIF image, which is not read; convert it to PNG"},
                         {"j.png", "it has 101×100 pixels, more than the 10000 that are allowed"},
                         {"notes.txt", "it is not a PNG, JPEG, BMP, PPM or PGM image"}});
  }

  const ImageFolder grey(folder.path(), Split::train, {.channels = 1, .max_pixels = 10000});
  CHECK(grey.image_shape() == Shape{1, 32, 32});
  CHECK(grey.mean().size() == 1);
}

TEST_CASE("ImageFolder has the same contents for any number of threads") {
  const TemporaryFolder folder;
  write_classes(folder, "", 20, 0);
  folder.write("ant/bad.png", "");
  const int threads = num_threads();
  set_num_threads(1);
  const ImageFolder one(folder.path(), Split::train);
  set_num_threads(4);
  const ImageFolder four(folder.path(), Split::train);
  set_num_threads(threads);
  CHECK(shades_of(one) == shades_of(four));
  CHECK(one.levels() == four.levels());
  CHECK(four.skipped().size() == 1);
}

TEST_CASE("a class may be called train") {
  const TemporaryFolder folder;
  for (const std::string name : {"bus", "train"})
    for (const std::string file : {"1.png", "2.png"}) folder.write(name + "/" + file, plain_png(5));
  CHECK(ImageFolder(folder.path(), Split::train).class_names() ==
        std::vector<std::string>{"bus", "train"});
  // But a train/ of classes alone is where they are.
  const TemporaryFolder alone;
  write_classes(alone, "train/", 5, 0);
  CHECK(ImageFolder(alone.path(), Split::train).class_names() ==
        std::vector<std::string>{"ant", "bee", "cat"});
}

TEST_CASE("ImageFolder says what is wrong with a folder") {
  const TemporaryFolder folder;
  const std::string path = folder.path().string();
  CHECK(error_of(folder / "absent") ==
        path +
            "/absent: there is no such folder; expected one with a folder of images for each "
            "class");
  CHECK(error_of(folder.path()) ==
        path + ": there are no folders in it; expected one for each class, with its images");
  folder.write("ant/1.png", plain_png(1));
  CHECK(error_of(folder.path()) ==
        path + ": there is one class only, ant; expected a folder for each of several");
  std::filesystem::create_directory(folder / "bee");
  CHECK(error_of(folder.path()) == path +
                                       "/bee: there are no files of this class; expected images. "
                                       "Add some, or remove the folder");
  folder.write("bee/1.png", "");
  folder.write("bee/2.txt", "");
  CHECK(error_of(folder.path()) == path +
                                       "/bee/1.png: it is empty; and none of the other files "
                                       "of class bee can be read either, 2 in all");
  folder.write("bee/1.png", plain_png(1));
  CHECK(error_of(folder.path()) ==
        path + ": every class has one image only, and none is left to test with; add some");

  const TemporaryFolder above;
  write_classes(above, "photos/", 1, 0);
  CHECK(error_of(above.path()) ==
        above.path().string() +
            ": there is one class only, photos; expected a folder for each of several. Did you "
            "mean " +
            above.path().string() + "/photos?");

  const TemporaryFolder split;
  write_classes(split, "train/", 1, 0);
  write_classes(split, "test/", 1, 0);
  split.write("train/dog/1.png", plain_png(1));
  split.write("test/eel/1.png", plain_png(1));
  CHECK(error_of(split.path()) == split.path().string() +
                                      ": train and test have different classes; only in train: "
                                      "dog; only in test: eel");
}

TEST_CASE("ImageFolder refuses options that make no sense") {
  const auto message = [](const ImageFolderOptions& options) {
    return message_of([&] { ImageFolder("/", Split::train, options); });
  };
  CHECK(message({.size = 0}) == "ImageFolder: expected a size from 1 to 1024, got 0×0");
  CHECK(message({.size = {32, 1025}}) ==
        "ImageFolder: expected a size from 1 to 1024, got 32×1025");
  CHECK(message({.channels = 4}) == "ImageFolder: expected 1 or 3 channels, got 4");
  for (const double share : {0.0, 1.0, -1.0, std::nan("")})
    CHECK(message({.test_share = share})
              .starts_with("ImageFolder: the share to test with must be in (0, 1), got "));
  CHECK(message({.max_pixels = 0}) == "ImageFolder: max_pixels must be in [1, 2³⁰], got 0");
}
