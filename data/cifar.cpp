#include <cstring>
#include <fstream>
#include <utility>

#include <pade/core/error.h>
#include <pade/core/io/input_file.h>
#include <pade/data/cifar.h>

namespace pade::data {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kSide = 32;
constexpr int64_t kPixels = 3 * kSide * kSide;
constexpr const char* kRemedy = "; an incomplete download? Delete it and get it again";

DatasetInfo cifar10_info() {
  return {"cifar10", {3, kSide, kSide}, 10, {0.4914, 0.4822, 0.4465}, {0.2470, 0.2435, 0.2616}};
}

DatasetInfo cifar100_info(bool coarse) {
  return {coarse ? "cifar100-coarse" : "cifar100",
          {3, kSide, kSide},
          coarse ? 20 : 100,
          {0.5071, 0.4865, 0.4409},
          {0.2673, 0.2564, 0.2762}};
}

/// `folder`, or the folder of that name in it.
fs::path below(const fs::path& folder, const char* name) {
  std::error_code ignored;
  return fs::is_directory(folder / name, ignored) ? folder / name : folder;
}

std::vector<fs::path> cifar10_files(const fs::path& given, Split split) {
  const fs::path folder = below(given, "cifar-10-batches-bin");
  if (split == Split::test) return {folder / "test_batch.bin"};
  std::vector<fs::path> files;
  for (const char* number : {"1", "2", "3", "4", "5"})
    files.push_back(folder / (std::string("data_batch_") + number + ".bin"));
  return files;
}

int64_t records_of(const fs::path& file, int64_t record_bytes) {
  check_is_regular_file(file);
  const auto bytes = static_cast<int64_t>(fs::file_size(file));
  check(bytes > 0 && bytes % record_bytes == 0, file.string(), ": expected records of ",
        record_bytes, " bytes each, got ", bytes, " bytes in all", kRemedy);
  return bytes / record_bytes;
}

}  // namespace

CifarLike::CifarLike(DatasetInfo info, const std::vector<fs::path>& files, const Labels& labels)
    : Dataset(std::move(info)) {
  const auto label_bytes = static_cast<int64_t>(labels.classes.size());
  std::vector<int64_t> counts;
  int64_t images = 0;
  for (const fs::path& file : files) {
    counts.push_back(records_of(file, label_bytes + kPixels));
    images += counts.back();
  }
  images_ = Tensor::empty({images, 3, kSide, kSide}, DType::uint8);
  labels_.reserve(static_cast<size_t>(images));
  auto* to = reinterpret_cast<char*>(images_.mutable_data<uint8_t>());
  std::vector<char> read_labels(labels.classes.size());
  for (size_t f = 0; f < files.size(); ++f) {
    std::ifstream in = open_input(files[f]);
    for (int64_t i = 0; i < counts[f]; ++i, to += kPixels) {
      in.read(read_labels.data(), label_bytes).read(to, kPixels);
      check(!in.fail(), files[f].string(), ": truncated: record ", i, " ends too soon", kRemedy);
      for (size_t k = 0; k < read_labels.size(); ++k) {
        const int label = static_cast<uint8_t>(read_labels[k]);
        check(label < labels.classes[k], files[f].string(), ": the label of record ", i, " is ",
              label, ", expected 0 to ", labels.classes[k] - 1, "; the file is damaged");
      }
      labels_.push_back(static_cast<uint8_t>(read_labels[labels.used]));
    }
  }
}

int32_t CifarLike::read(int64_t index, uint8_t* pixels) const {
  std::memcpy(pixels, images_.data<uint8_t>() + index * kPixels, kPixels);
  return labels_[static_cast<size_t>(index)];
}

Cifar10::Cifar10(const fs::path& folder, Split split)
    : CifarLike(cifar10_info(), cifar10_files(folder, split), {{10}, 0}) {}

Cifar100::Cifar100(const fs::path& folder, Split split, Labels labels)
    : CifarLike(
          cifar100_info(labels == Labels::coarse),
          {below(folder, "cifar-100-binary") / (split == Split::train ? "train.bin" : "test.bin")},
          {{20, 100}, labels == Labels::coarse ? 0u : 1u}) {}

}  // namespace pade::data
