#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <new>
#include <string_view>
#include <utility>

#include <pade/core/error.h>
#include <pade/core/parallel.h>
#include <pade/data/image_file.h>
#include <pade/data/image_folder.h>

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

/// A class, with its files in the order of their names.
struct ClassFolder {
  std::string name;
  std::vector<fs::path> files;
};

/// What an image folder consists of, by the rules of the header.
struct Layout {
  fs::path train_folder, test_folder;  // those that hold the classes
  std::vector<ClassFolder> train;      // or, without a `test`, for both
  std::vector<ClassFolder> test;
};

/// Says whether a folder is `inner`, or one around it, under another name.
bool leads_back(const fs::path& folder, const fs::path& inner) {
  std::error_code error;
  const fs::path rest = fs::relative(inner, folder, error);
  return !error && !rest.empty() && *rest.begin() != "..";
}

/// The folders in a folder, or else the files in it and in those below it, sorted. Links to folders
/// are not followed.
std::vector<fs::path> entries_of(const fs::path& folder, bool folders) {
  std::vector<fs::path> found;
  std::error_code error, ignored;
  fs::recursive_directory_iterator entry(folder, error);
  for (; !error && entry != fs::end(entry); entry.increment(error)) {
    const fs::path& path = entry->path();
    const bool is_hidden = path.filename().native().starts_with('.');
    if (folders || is_hidden) entry.disable_recursion_pending();
    if (!is_hidden && fs::is_directory(path, ignored) == folders &&
        !(folders && leads_back(path, folder)))
      found.push_back(path);
  }
  check(!error, "cannot read the folder ", folder.string(), ": ", error.message());
  std::ranges::sort(found);
  return found;
}

std::vector<ClassFolder> classes_in(const fs::path& folder) {
  std::vector<ClassFolder> classes;
  for (const fs::path& path : entries_of(folder, true))
    classes.push_back({path.filename().string(), entries_of(path, false)});
  check(!classes.empty(), folder.string(),
        ": there are no folders in it; expected one for each class, with its images");
  if (classes.size() == 1) {
    const fs::path only = folder / classes[0].name;
    fail(folder.string(), ": there is one class only, ", classes[0].name,
         "; expected a folder for each of several",
         entries_of(only, true).size() > 1 ? ". Did you mean " + only.string() + "?" : "");
  }
  for (const ClassFolder& c : classes)
    check(!c.files.empty(), (folder / c.name).string(),
          ": there are no files of this class; expected images. Add some, or remove the folder");
  return classes;
}

/// The names that `classes` has and `others` has not.
std::string only_in(const std::vector<ClassFolder>& classes,
                    const std::vector<ClassFolder>& others) {
  std::string names;
  for (const ClassFolder& c : classes)
    if (std::ranges::find(others, c.name, &ClassFolder::name) == others.end())
      names += (names.empty() ? "" : ", ") + c.name;
  return names.empty() ? "none" : names;
}

/// Picks the folders of these names, in upper or lower case, in the order of the names.
std::vector<fs::path> named(const std::vector<fs::path>& folders,
                            std::initializer_list<std::string_view> names) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  std::vector<fs::path> found;
  for (const std::string_view name : names)
    for (const fs::path& folder : folders)
      if (std::ranges::equal(folder.filename().native(), name, {}, lower)) found.push_back(folder);
  return found;
}

/// The first of these that has folders in it; empty when none has.
fs::path first_with_folders(const std::vector<fs::path>& candidates) {
  for (const fs::path& candidate : candidates)
    if (!entries_of(candidate, true).empty()) return candidate;
  return {};
}

/// Finds the classes. Throws Error as ImageFolder does, as far as no file need be opened for it.
Layout layout_of(const fs::path& folder) {
  std::error_code ignored;
  check(fs::is_directory(folder, ignored), folder.string(),
        ": there is no such folder; expected one with a folder of images for each class");
  const std::vector<fs::path> folders = entries_of(folder, true);
  const std::vector<fs::path> trains = named(folders, {"train", "training"}),
                              tests =
                                  named(folders, {"test", "testing", "val", "valid", "validation"});
  const fs::path train = first_with_folders(trains), test = first_with_folders(tests);
  const bool only_splits = !trains.empty() && trains.size() + tests.size() == folders.size();
  if (only_splits && train.empty() && !tests.empty())
    fail(folder.string(), ": there are no folders in ", trains[0].filename().string(),
         "; expected one for each class, with its images");
  if (train.empty() || test.empty()) {
    const fs::path& classes = only_splits && !train.empty() ? train : folder;
    return {classes, classes, classes_in(classes), {}};
  }
  Layout layout{train, test, classes_in(train), classes_in(test)};
  const std::string only_train = only_in(layout.train, layout.test),
                    only_test = only_in(layout.test, layout.train),
                    train_name = train.filename().string(), test_name = test.filename().string();
  check(only_train == "none" && only_test == "none", folder.string(), ": ", train_name, " and ",
        test_name, " have different classes; only in ", train_name, ": ", only_train, "; only in ",
        test_name, ": ", only_test);
  return layout;
}

/// Maps a name into [0, 1), everywhere alike: FNV-1a, its upper bits mixed down.
double hashed(std::string_view name) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const unsigned char byte : name) hash = (hash ^ byte) * 0x100000001b3;
  hash = (hash ^ (hash >> 32)) * 0x9e3779b97f4a7c15;
  return static_cast<double>(hash >> 11) * 0x1p-53;
}

/// Decodes all files, those of `layout.train` first. `reasons` gets why one could not be, or "".
Tensor decode_all(const Layout& layout, const ImageFolderOptions& options,
                  std::vector<std::string>& reasons) {
  std::vector<const fs::path*> files;
  for (const auto* classes : {&layout.train, &layout.test})
    for (const ClassFolder& c : *classes)
      for (const fs::path& file : c.files) files.push_back(&file);
  reasons.resize(files.size());
  const auto count = static_cast<int64_t>(files.size());
  Tensor images =
      Tensor::empty({count, options.channels, options.size.h, options.size.w}, DType::uint8);
  uint8_t* planes = images.mutable_data<uint8_t>();
  const int64_t bytes = images.shape().size_from(1);
  parallel_for(count, 1, [&](int64_t i, int64_t) {
    try {
      resize_to_planes(read_image(*files[i], options.channels, options.max_pixels), options.size,
                       planes + i * bytes);
    } catch (const Error& error) {
      reasons[i] = error.what();
    } catch (const std::bad_alloc&) {
      reasons[i] = "there is not enough memory to decode it";
    }
  });
  return images;
}

/// Measures mean and deviation by sums of integers, so that their order is of no account.
void measure(const Tensor& images, const std::vector<StoredDataset::Sample>& used,
             DatasetInfo& info) {
  const int64_t channels = images.extent(1), plane = images.shape().size_from(2);
  for (int64_t c = 0; c < channels; ++c) {
    uint64_t sum = 0, squares = 0;
    for (const auto& [image, label] : used) {
      const uint8_t* pixels = images.data<uint8_t>() + (image * channels + c) * plane;
      for (int64_t i = 0; i < plane; ++i) {
        sum += pixels[i];
        squares += uint64_t{pixels[i]} * pixels[i];
      }
    }
    const double count = static_cast<double>(used.size()) * static_cast<double>(plane);
    const double mean = static_cast<double>(sum) / count;
    const double variance = static_cast<double>(squares) / count - mean * mean;
    info.mean.push_back(mean / 255);
    info.std.push_back(std::sqrt(std::max(variance, 1.0)) / 255);
  }
}

}  // namespace

ImageFolderSplits read_image_folder(const fs::path& folder, const ImageFolderOptions& options) {
  check_options(options);
  const Layout layout = layout_of(folder);
  std::vector<std::string> reasons;
  const Tensor images = decode_all(layout, options, reasons);
  std::vector<StoredDataset::Sample> train, test;
  std::vector<SkippedFile> skipped;
  size_t image = 0;
  for (const auto* classes : {&layout.train, &layout.test})
    for (size_t label = 0; label < classes->size(); ++label) {
      const ClassFolder& c = (*classes)[label];
      std::vector<std::pair<double, StoredDataset::Sample>> kept;  // with their names, hashed
      for (const fs::path& file : c.files) {
        const std::string& reason = reasons[image];
        if (reason.empty())
          kept.emplace_back(hashed(file.filename().string()), StoredDataset::Sample(image, label));
        else
          skipped.push_back({file, reason});
        ++image;
      }
      check(!kept.empty(), c.files.front().string(), ": ", reasons[image - c.files.size()],
            "; and none of the other files of class ", c.name, " can be read either, ",
            c.files.size(), " in all");
      const auto [lowest, highest] = std::minmax_element(kept.begin(), kept.end());
      for (auto i = kept.begin(); i != kept.end(); ++i) {
        // Both sides get one where that is possible.
        const bool chosen = (i->first < options.test_share || i == lowest) && i != highest;
        const bool for_test = layout.test.empty() ? chosen : classes == &layout.test;
        (for_test ? test : train).push_back(i->second);
      }
    }
  check(!test.empty(), folder.string(),
        ": every class has one image only, and none is left to test with; add some");

  std::error_code ignored;
  DatasetInfo info{fs::weakly_canonical(folder, ignored).filename().string(),
                   {options.channels, options.size.h, options.size.w},
                   static_cast<int64_t>(layout.train.size())};
  for (const ClassFolder& c : layout.train) info.class_names.push_back(c.name);
  measure(images, train, info);
  ImageFolderSplits splits{ImageFolder(info, images, std::move(train)),
                           ImageFolder(info, images, std::move(test))};
  splits.train.folder_ = layout.train_folder;
  splits.test.folder_ = layout.test_folder;
  for (ImageFolder* split : {&splits.train, &splits.test}) split->skipped_ = skipped;
  return splits;
}

ImageFolder::ImageFolder(const fs::path& folder, Split split, const ImageFolderOptions& options)
    : ImageFolder(split == Split::train ? read_image_folder(folder, options).train
                                        : read_image_folder(folder, options).test) {}

}  // namespace pade::data
