#include "support/splits.h"

#include <algorithm>
#include <iostream>
#include <map>
#include <string_view>

#include <pade/core/error.h>
#include <pade/core/numbers.h>
#include <pade/data/cifar.h>
#include <pade/data/image_folder.h>

namespace pade::support {
namespace {

constexpr size_t kListed = 10;

/// As `3 classes: ant, bee, cat`.
void print_classes(const data::ImageFolder& train, const data::ImageFolder& test) {
  const std::vector<std::string>& names = train.class_names();
  std::cerr << names.size() << " classes: ";
  for (size_t i = 0; i < std::min(names.size(), kListed); ++i)
    std::cerr << (i ? ", " : "") << names[i];
  std::cerr << (names.size() > kListed ? ", …; " : "; ") << counted(train.size(), "image")
            << " to train with in " << train.folder().string() << ", " << test.size()
            << " to test with in " << test.folder().string() << '\n';
}

/// A line for each reason, with the first file that it is said of.
void print_skipped(const std::vector<data::SkippedFile>& skipped) {
  if (skipped.empty()) return;
  std::map<std::string_view, std::vector<const data::SkippedFile*>> by_reason;
  for (const data::SkippedFile& file : skipped) by_reason[file.reason].push_back(&file);
  std::cerr << skipped.size() << (skipped.size() == 1 ? " file is" : " files are")
            << " not used:\n";
  size_t listed = 0;
  for (const auto& [reason, files] : by_reason) {
    if (listed++ == kListed) break;
    std::cerr << "  " << files[0]->path.string() << ": " << reason;
    if (files.size() > 1) std::cerr << " (the first of " << files.size() << ")";
    std::cerr << '\n';
  }
  if (by_reason.size() > kListed)
    std::cerr << "  and for "
              << counted(static_cast<int64_t>(by_reason.size() - kListed), "other reason") << '\n';
}

void check_has_images(const data::Dataset& set, data::Split split, const TrainingOptions& options) {
  check(set.size() > 0, options.dataset, ": the set to ", name_of(split), " with is empty",
        options.data.empty() ? "" : " in " + options.data, "; add images to it");
}

}  // namespace

data::DatasetSplits open_splits(const TrainingOptions& options) {
  data::DatasetSplits splits = data::open_datasets(options.dataset, options.data);
  check_has_images(*splits.train, data::Split::train, options);
  check_has_images(*splits.test, data::Split::test, options);
  const int64_t images =
      std::min(splits.train->size(), options.limit.value_or(splits.train->size()));
  check(!options.drop_last || images >= options.batch_size, "--drop-last: ", images,
        " training images are not one batch of ", options.batch_size);
  const auto* train = dynamic_cast<const data::ImageFolder*>(splits.train.get());
  const auto* test = dynamic_cast<const data::ImageFolder*>(splits.test.get());
  if (train && test) {
    if (!options.quiet) print_classes(*train, *test);
    print_skipped(train->skipped());
  } else if (options.dataset.starts_with("cifar") && !options.quiet) {
    const auto folder = data::find_dataset(options.dataset, options.data);
    const char* file = options.dataset == "cifar10" ? "test_batch.bin" : "test.bin";
    if (!data::find_batch(folder, file).has_extension())
      std::cerr << splits.train->name() << ": read from the files of its Python version\n";
  }
  return splits;
}

}  // namespace pade::support
