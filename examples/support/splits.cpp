#include "support/splits.h"

#include <algorithm>
#include <iostream>

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

}  // namespace

data::DatasetSplits open_splits(const TrainingOptions& options) {
  data::DatasetSplits splits = data::open_datasets(options.dataset, options.data);
  if (const auto* folder = dynamic_cast<const data::ImageFolder*>(splits.train.get()))
    list_skipped(folder->skipped());
  return splits;
}

}  // namespace pade::support
