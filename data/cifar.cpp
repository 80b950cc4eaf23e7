#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <utility>

#include <pade/core/error.h>
#include <pade/core/io/file.h>
#include <pade/data/cifar.h>

namespace pade::data {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kSide = 32;
constexpr size_t kPixels = 3 * kSide * kSide;

/// Finds the files of these names in `folder`, or in the first of `own_folders` that it has. Only
/// where the binary version of a file is missing is it that of the Python version.
std::vector<fs::path> find_files(fs::path folder, std::initializer_list<const char*> own_folders,
                                 const std::vector<std::string>& names) {
  std::error_code ignored;
  const auto is_there = [&](const char* own) { return fs::is_directory(folder / own, ignored); };
  const auto own = std::find_if(own_folders.begin(), own_folders.end(), is_there);
  if (own != own_folders.end()) folder /= *own;
  std::vector<fs::path> files;
  for (const std::string& name : names) {
    const fs::path binary = folder / (name + ".bin"), python = folder / name;
    const bool is_python = !fs::exists(binary, ignored) && fs::is_regular_file(python, ignored);
    files.push_back(is_python ? python : binary);
  }
  return files;
}

}  // namespace

CifarLike::CifarLike(DatasetInfo info, const std::vector<fs::path>& files, const Labels& labels)
    : Dataset(std::move(info)) {
  const size_t label_bytes = labels.classes.size(), record_bytes = label_bytes + kPixels;
  for (const fs::path& file : files) {
    const bool is_binary = file.extension() == ".bin";
    const std::string records =
        is_binary ? read_file(file) : read_python_batch(file, labels.keys, kPixels);
    python_version_ |= !is_binary;
    check(!records.empty() && records.size() % record_bytes == 0, file.string(),
          ": expected records of ", record_bytes, " bytes each, got ", records.size(),
          " bytes in all; an incomplete download? Delete it and get it again");
    bad_alloc_as_error([&] { images_.reserve(files.size() * records.size()); });
    for (size_t i = 0; i < records.size() / record_bytes; ++i) {
      const auto* record = reinterpret_cast<const uint8_t*>(&records[i * record_bytes]);
      for (size_t k = 0; k < label_bytes; ++k) {
        const int label = record[k];
        check(label < labels.classes[k], file.string(), ": the label of record ", i, " is ", label,
              ", expected 0 to ", labels.classes[k] - 1, "; the file is damaged");
      }
      labels_.push_back(record[labels.used]);
      images_.insert(images_.end(), record + label_bytes, record + record_bytes);
    }
  }
}

int32_t CifarLike::read(int64_t index, uint8_t* pixels) const {
  const auto i = static_cast<size_t>(index);
  std::memcpy(pixels, images_.data() + i * kPixels, kPixels);
  return labels_[i];
}

Cifar10::Cifar10(const fs::path& folder, Split split)
    : CifarLike(
          {"cifar10", {3, kSide, kSide}, 10, {0.4914, 0.4822, 0.4465}, {0.2470, 0.2435, 0.2616}},
          find_files(folder, {"cifar-10-batches-bin", "cifar-10-batches-py"},
                     split == Split::test
                         ? std::vector<std::string>{"test_batch"}
                         : std::vector<std::string>{"data_batch_1", "data_batch_2", "data_batch_3",
                                                    "data_batch_4", "data_batch_5"}),
          {{10}, {"labels"}, 0}) {}

Cifar100::Cifar100(const fs::path& folder, Split split, Labels labels)
    : CifarLike({labels == Labels::fine ? "cifar100" : "cifar100-coarse",
                 {3, kSide, kSide},
                 labels == Labels::fine ? 100 : 20,
                 {0.5071, 0.4865, 0.4409},
                 {0.2673, 0.2564, 0.2762}},
                find_files(folder, {"cifar-100-binary", "cifar-100-python"}, {name_of(split)}),
                {{20, 100}, {"coarse_labels", "fine_labels"}, labels == Labels::fine ? 1u : 0u}) {}

}  // namespace pade::data
