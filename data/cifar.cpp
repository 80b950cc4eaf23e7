#include <cstring>
#include <fstream>
#include <initializer_list>
#include <memory>
#include <sstream>
#include <utility>

#include <pade/core/error.h>
#include <pade/core/io/input_file.h>
#include <pade/data/cifar.h>
#include <pade/data/python_batch.h>

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

/// `folder`, or the first of these in it that there is.
fs::path below(const fs::path& folder, std::initializer_list<const char*> names) {
  std::error_code ignored;
  for (const char* name : names)
    if (fs::is_directory(folder / name, ignored)) return folder / name;
  return folder;
}

/// Of the binary version, unless there is only that of the Python version.
fs::path file_of(const fs::path& folder, const std::string& name) {
  std::error_code ignored;
  const fs::path binary = folder / (name + ".bin"), python = folder / name;
  return !fs::exists(binary, ignored) && fs::is_regular_file(python, ignored) ? python : binary;
}

std::vector<fs::path> cifar10_files(const fs::path& given, Split split) {
  const fs::path folder = below(given, {"cifar-10-batches-bin", "cifar-10-batches-py"});
  if (split == Split::test) return {file_of(folder, "test_batch")};
  std::vector<fs::path> files;
  for (const char* number : {"1", "2", "3", "4", "5"})
    files.push_back(file_of(folder, std::string("data_batch_") + number));
  return files;
}

fs::path cifar100_file(const fs::path& given, Split split) {
  return file_of(below(given, {"cifar-100-binary", "cifar-100-python"}), name_of(split));
}

bool is_binary(const fs::path& file) { return file.extension() == ".bin"; }

/// The records of one file.
std::unique_ptr<std::istream> open_records(const fs::path& file,
                                           const std::vector<std::string>& label_keys,
                                           int64_t record_bytes, int64_t& count) {
  int64_t bytes = 0;
  std::unique_ptr<std::istream> in;
  if (is_binary(file)) {
    in = std::make_unique<std::ifstream>(open_input(file));
    bytes = static_cast<int64_t>(fs::file_size(file));
  } else {
    std::string records = read_python_batch(file, label_keys, kPixels);
    bytes = static_cast<int64_t>(records.size());
    in = std::make_unique<std::istringstream>(std::move(records));
  }
  check(bytes > 0 && bytes % record_bytes == 0, file.string(), ": expected records of ",
        record_bytes, " bytes each, got ", bytes, " bytes in all", kRemedy);
  count = bytes / record_bytes;
  return in;
}

}  // namespace

CifarLike::CifarLike(DatasetInfo info, const std::vector<fs::path>& files, const Labels& labels)
    : Dataset(std::move(info)) {
  const auto label_bytes = static_cast<int64_t>(labels.classes.size());
  std::vector<std::unique_ptr<std::istream>> streams;
  std::vector<int64_t> counts(files.size());
  int64_t images = 0;
  for (size_t f = 0; f < files.size(); ++f) {
    streams.push_back(open_records(files[f], labels.keys, label_bytes + kPixels, counts[f]));
    images += counts[f];
    python_version_ |= !is_binary(files[f]);
  }
  images_ = Tensor::empty({images, 3, kSide, kSide}, DType::uint8);
  labels_.reserve(static_cast<size_t>(images));
  auto* to = reinterpret_cast<char*>(images_.mutable_data<uint8_t>());
  std::vector<char> read_labels(labels.classes.size());
  for (size_t f = 0; f < files.size(); ++f) {
    std::istream& in = *streams[f];
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
    : CifarLike(cifar10_info(), cifar10_files(folder, split), {{10}, {"labels"}, 0}) {}

Cifar100::Cifar100(const fs::path& folder, Split split, Labels labels)
    : CifarLike(cifar100_info(labels == Labels::coarse), {cifar100_file(folder, split)},
                {{20, 100}, {"coarse_labels", "fine_labels"}, labels == Labels::coarse ? 0u : 1u}) {
}

}  // namespace pade::data
