#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>
#include <utility>

#include <pade/core/error.h>
#include <pade/core/io/file.h>
#include <pade/data/cifar.h>

namespace pade::data {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kSide = 32;
constexpr size_t kPixels = 3 * kSide * kSide;
using Names = std::vector<const char*>;

/// The classes by label, as batches.meta.txt and the files …_label_names.txt have them.
constexpr const char* kClasses = "airplane automobile bird cat deer dog frog horse ship truck";
constexpr const char* kCoarseClasses =
    "aquatic_mammals fish flowers food_containers fruit_and_vegetables "
    "household_electrical_devices household_furniture insects large_carnivores "
    "large_man-made_outdoor_things large_natural_outdoor_scenes large_omnivores_and_herbivores "
    "medium_mammals non-insect_invertebrates people reptiles small_mammals trees vehicles_1 "
    "vehicles_2";
constexpr const char* kFineClasses =
    "apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus "
    "butterfly camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch "
    "crab crocodile cup dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo "
    "keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain "
    "mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain "
    "plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk "
    "skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone "
    "television tiger tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm";

/// What stands in front of the pixels: how many classes each label has, what they are called in the
/// Python version, which of them counts, and the names of its classes.
struct LabelBytes {
  std::vector<int> classes;
  std::vector<std::string> keys;
  size_t used;
  const char* names;
};

/// Reads the files of these names, one after the other, in `folder` or in the first of
/// `own_folders` that it has.
StoredDataset read_set(DatasetInfo info, fs::path folder, const Names& own_folders,
                       const Names& names, const LabelBytes& labels) {
  std::error_code ignored;
  const auto is_there = [&](const char* own) { return fs::is_directory(folder / own, ignored); };
  const auto own = std::ranges::find_if(own_folders, is_there);
  if (own != own_folders.end()) folder /= *own;
  std::vector<fs::path> files;
  uintmax_t bytes_in_all = 0;
  for (const char* name : names) {
    const fs::path found = find_batch(folder, name);
    files.push_back(found.empty() ? folder / name : found);
    bytes_in_all += found.empty() ? 0 : fs::file_size(found);
  }
  // Of either version, a file has at least the bytes of its pixels; rows that are over stay unused.
  Tensor images =
      Tensor::empty({static_cast<int64_t>(bytes_in_all / kPixels), 3, kSide, kSide}, DType::uint8);
  auto* pixels = reinterpret_cast<char*>(images.mutable_data<uint8_t>());
  const size_t label_bytes = labels.classes.size(), record_bytes = label_bytes + kPixels;
  std::vector<StoredDataset::Sample> samples;
  for (const fs::path& file : files) {
    std::ifstream stored;
    std::istringstream converted;
    if (file.has_extension())
      stored = open_input(file);
    else
      converted.str(read_python_batch(file, labels.keys, kPixels));
    std::istream& records = file.has_extension() ? static_cast<std::istream&>(stored) : converted;
    const auto bytes = static_cast<size_t>(records.seekg(0, std::ios::end).tellg());
    check(bytes > 0 && bytes % record_bytes == 0, file.string(), ": expected records of ",
          record_bytes, " bytes each, got ", bytes,
          " bytes in all; an incomplete download? Delete it and get it again");
    records.seekg(0);
    for (size_t i = 0; i < bytes / record_bytes; ++i, pixels += kPixels) {
      for (size_t k = 0; k < label_bytes; ++k) {
        const int label = records.get();
        check(label < labels.classes[k], file.string(), ": the label of record ", i, " is ", label,
              ", expected 0 to ", labels.classes[k] - 1, "; the file is damaged");
        if (k == labels.used) samples.emplace_back(samples.size(), label);
      }
      records.read(pixels, kPixels);
      check(records.good(), file.string(), ": cannot be read to its end");
    }
  }
  std::istringstream words(labels.names);
  info.class_names.assign(std::istream_iterator<std::string>(words), {});
  return {std::move(info), images, std::move(samples)};
}

}  // namespace

fs::path find_batch(const fs::path& folder, std::string_view name) {
  std::error_code ignored;
  const fs::path binary = folder / name, python = folder / binary.stem();
  if (fs::is_regular_file(binary, ignored)) return binary;
  return fs::is_regular_file(python, ignored) ? python : fs::path();
}

Cifar10::Cifar10(const fs::path& folder, Split split)
    : StoredDataset(read_set(
          {"cifar10", {3, kSide, kSide}, 10, {0.4914, 0.4822, 0.4465}, {0.2470, 0.2435, 0.2616}},
          folder, {"cifar-10-batches-bin", "cifar-10-batches-py"},
          split == Split::test ? Names{"test_batch.bin"}
                               : Names{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                       "data_batch_4.bin", "data_batch_5.bin"},
          {{10}, {"labels"}, 0, kClasses})) {}

Cifar100::Cifar100(const fs::path& folder, Split split, Labels labels)
    : StoredDataset(read_set({labels == Labels::fine ? "cifar100" : "cifar100-coarse",
                              {3, kSide, kSide},
                              labels == Labels::fine ? 100 : 20,
                              {0.5071, 0.4865, 0.4409},
                              {0.2673, 0.2564, 0.2762}},
                             folder, {"cifar-100-binary", "cifar-100-python"},
                             {split == Split::train ? "train.bin" : "test.bin"},
                             {{20, 100},
                              {"coarse_labels", "fine_labels"},
                              labels == Labels::fine ? 1u : 0u,
                              labels == Labels::fine ? kFineClasses : kCoarseClasses})) {}

}  // namespace pade::data
