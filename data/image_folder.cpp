#include <algorithm>
#include <cmath>
#include <cstring>
#include <new>
#include <string_view>
#include <utility>

#include <pade/core/error.h>
#include <pade/core/parallel.h>
#include <pade/data/class_folders.h>
#include <pade/data/image_file.h>
#include <pade/data/image_folder.h>
#include <pade/data/resize.h>

namespace pade::data {
namespace {

namespace fs = std::filesystem;

void check_options(const ImageFolderOptions& options) {
  const auto [h, w] = options.size;
  check(h >= 1 && h <= 1024 && w >= 1 && w <= 1024,
        "ImageFolder: expected a size from 1 to 1024, got ", options.size);
  check(options.channels == 1 || options.channels == 3,
        "ImageFolder: expected 1 or 3 channels, got ", options.channels);
  check(options.test_share > 0 && options.test_share < 1,
        "ImageFolder: the share to test with must be in (0, 1), got ", options.test_share);
  check(options.max_pixels >= 1 && options.max_pixels <= int64_t{1} << 30,
        "ImageFolder: max_pixels must be in [1, 2³⁰], got ", options.max_pixels);
}

/// Decodes a file to planes of bytes. Returns why that cannot be; nothing when all is well.
std::string decode(const fs::path& path, const ImageFolderOptions& options, uint8_t* to) {
  try {
    resize_to_planes(read_image(path, options.channels, options.max_pixels), options.size, to);
    return "";
  } catch (const Error& error) {
    return error.what();
  } catch (const std::bad_alloc&) {
    return "there is not enough memory to decode it";
  }
}

/// In [0, 1), the same for the same name everywhere: FNV-1a, its upper bits mixed down.
double hashed(std::string_view name) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const unsigned char byte : name) hash = (hash ^ byte) * 0x100000001b3;
  hash = (hash ^ (hash >> 32)) * 0x9e3779b97f4a7c15;
  return static_cast<double>(hash >> 11) * 0x1p-53;
}

/// Which of a class's images are for testing, by their names: both sides get one where that is
/// possible.
std::vector<bool> choose_test(const std::vector<std::string>& names, double share) {
  std::vector<double> numbers;
  std::vector<bool> chosen;
  for (const std::string& name : names) {
    numbers.push_back(hashed(name));
    chosen.push_back(numbers.back() < share);
  }
  const auto count = static_cast<size_t>(std::count(chosen.begin(), chosen.end(), true));
  const auto [lowest, highest] = std::minmax_element(numbers.begin(), numbers.end());
  if (count == names.size()) chosen[static_cast<size_t>(highest - numbers.begin())] = false;
  if (count == 0 && names.size() > 1) chosen[static_cast<size_t>(lowest - numbers.begin())] = true;
  return chosen;
}

}  // namespace

/// Both splits as they are read.
struct ImageFolder::Contents {
  ImageFolderLayout layout;
  Tensor images;
  std::vector<Place> train, test;
  std::vector<SkippedFile> skipped;
  DatasetInfo info;

  Contents(const fs::path& folder, const ImageFolderOptions& options) {
    check_options(options);
    layout = layout_of(folder);
    const std::vector<std::string> reasons = decode_all(options);
    size_t image = 0;
    for (const auto* classes : {&layout.train, &layout.test})
      for (size_t label = 0; label < classes->size(); ++label) {
        const ClassFolder& c = (*classes)[label];
        std::vector<Place> kept;
        std::vector<std::string> names;
        for (const fs::path& file : c.files) {
          const std::string& reason = reasons[image];
          if (reason.empty()) {
            kept.push_back({static_cast<int64_t>(image), static_cast<int32_t>(label)});
            names.push_back(file.filename().string());
          } else {
            skipped.push_back({file, reason});
          }
          ++image;
        }
        check(!kept.empty(), c.files.front().string(), ": ", reasons[image - c.files.size()],
              "; and none of the other files of class ", c.name, " can be read either, ",
              c.files.size(), " in all");
        const std::vector<bool> for_test =
            layout.test.empty() ? choose_test(names, options.test_share)
                                : std::vector<bool>(kept.size(), classes == &layout.test);
        for (size_t i = 0; i < kept.size(); ++i) (for_test[i] ? test : train).push_back(kept[i]);
      }
    check(!test.empty(), folder.string(),
          ": every class has one image only, and none is left to test with; add some");
    describe(folder, options);
  }

 private:
  /// Returns why each file could not be decoded, in the order of `images`: "" where it could.
  std::vector<std::string> decode_all(const ImageFolderOptions& options) {
    std::vector<const fs::path*> files;
    for (const auto* classes : {&layout.train, &layout.test})
      for (const ClassFolder& c : *classes)
        for (const fs::path& file : c.files) files.push_back(&file);
    const auto count = static_cast<int64_t>(files.size());
    images = Tensor::empty({count, options.channels, options.size.h, options.size.w}, DType::uint8);
    uint8_t* planes = images.mutable_data<uint8_t>();
    const int64_t bytes = images.shape().size_from(1);
    std::vector<std::string> reasons(files.size());
    parallel_for(count, 1, [&](int64_t i, int64_t) {
      reasons[i] = decode(*files[i], options, planes + i * bytes);
    });
    return reasons;
  }

  /// Sums of integers, so that their order is of no account.
  void describe(const fs::path& folder, const ImageFolderOptions& options) {
    std::error_code ignored;
    info.name = fs::weakly_canonical(folder, ignored).filename().string();
    info.image_shape = {options.channels, options.size.h, options.size.w};
    info.num_classes = static_cast<int64_t>(layout.train.size());
    const int64_t plane = options.size.area();
    const uint8_t* planes = images.data<uint8_t>();
    for (int64_t c = 0; c < options.channels; ++c) {
      uint64_t sum = 0, squares = 0;
      for (const Place& place : train) {
        const uint8_t* pixels = planes + (place.image * options.channels + c) * plane;
        for (int64_t i = 0; i < plane; ++i) {
          sum += pixels[i];
          squares += uint64_t{pixels[i]} * pixels[i];
        }
      }
      const double count = static_cast<double>(train.size()) * static_cast<double>(plane);
      const double mean = static_cast<double>(sum) / count;
      const double variance = static_cast<double>(squares) / count - mean * mean;
      info.mean.push_back(mean / 255);
      info.std.push_back(std::sqrt(std::max(variance, 1.0)) / 255);
    }
  }
};

ImageFolder::ImageFolder(const Contents& contents, Split split)
    : Dataset(contents.info),
      folder_(split == Split::train ? contents.layout.train_folder : contents.layout.test_folder),
      images_(contents.images),
      places_(split == Split::train ? contents.train : contents.test),
      skipped_(contents.skipped) {
  for (const ClassFolder& c : contents.layout.train) class_names_.push_back(c.name);
}

ImageFolder::ImageFolder(const fs::path& folder, Split split, const ImageFolderOptions& options)
    : ImageFolder(Contents(folder, options), split) {}

int32_t ImageFolder::read(int64_t index, uint8_t* pixels) const {
  const Place& place = places_[static_cast<size_t>(index)];
  const int64_t bytes = image_shape().size();
  std::memcpy(pixels, images_.data<uint8_t>() + place.image * bytes, static_cast<size_t>(bytes));
  return place.label;
}

ImageFolderSplits read_image_folder(const fs::path& folder, const ImageFolderOptions& options) {
  const ImageFolder::Contents contents(folder, options);
  return {ImageFolder(contents, Split::train), ImageFolder(contents, Split::test)};
}

}  // namespace pade::data
