#include "support/splits.h"

#include <algorithm>
#include <iostream>

#include <pade/core/error.h>
#include <pade/data/image_folder.h>

namespace pade::support {
namespace {

constexpr size_t kListed = 10;

void list_skipped(const std::vector<data::SkippedFile>& skipped) {
  if (skipped.empty()) return;
  std::cerr << skipped.size() << (skipped.size() == 1 ? " file is" : " files are")
            << " not used:\n";
  for (size_t i = 0; i < std::min(skipped.size(), kListed); ++i)
    std::cerr << "  " << skipped[i].path.string() << ": " << skipped[i].reason << '\n';
  if (skipped.size() > kListed) std::cerr << "  and " << skipped.size() - kListed << " more\n";
}

void check_has_images(const data::Dataset& set, data::Split split, const TrainingOptions& options) {
  check(set.size() > 0, options.dataset, ": the set to ", name_of(split), " with is empty",
        options.data.empty() ? "" : " in " + options.data, "; add images to it");
}

}  // namespace

data::DatasetSplits open_splits(const TrainingOptions& options) {
  data::DatasetSplits splits = data::open_datasets(options.dataset, options.data);
  if (const auto* folder = dynamic_cast<const data::ImageFolder*>(splits.train.get()))
    list_skipped(folder->skipped());
  check_has_images(*splits.train, data::Split::train, options);
  check_has_images(*splits.test, data::Split::test, options);
  return splits;
}

}  // namespace pade::support
