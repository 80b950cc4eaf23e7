#include <cstring>
#include <utility>

#include <pade/core/error.h>
#include <pade/data/idx.h>
#include <pade/data/mnist.h>

namespace pade::data {
namespace {

constexpr int64_t kSide = 28;
constexpr int kClasses = 10;

std::filesystem::path find_part(const std::filesystem::path& folder, Split split,
                                const char* part) {
  const std::string name = (split == Split::train ? "train-" : "t10k-") + std::string(part);
  const std::filesystem::path path = find_idx(folder, name);
  check(!path.empty(), folder.string(), " has neither ", name, " nor ", name,
        ".gz, nor the same with a dot in front of idx; give the folder that holds them");
  return path;
}

Tensor read_images(const std::filesystem::path& path) {
  Tensor images = read_idx(path);
  check(images.rank() != 1, path.string(), ": expected images, got ", images.size(),
        " labels; were the files swapped?");
  check(images.rank() == 3 && images.extent(1) == kSide && images.extent(2) == kSide, path.string(),
        ": expected images [N, ", kSide, ", ", kSide, "], got ", images.shape());
  check(images.size() > 0, path.string(), ": there are no images in it; give a folder with some");
  return images;
}

Tensor read_labels(const std::filesystem::path& path) {
  Tensor labels = read_idx(path);
  check(labels.rank() != 3, path.string(), ": expected labels, got ", labels.extent(0),
        " images; were the files swapped?");
  check(labels.rank() == 1, path.string(), ": expected labels [N], got ", labels.shape());
  const uint8_t* first = labels.data<uint8_t>();
  for (int64_t i = 0; i < labels.size(); ++i)
    check(first[i] < kClasses, path.string(), ": label ", i, " is ", int{first[i]},
          ", expected 0 to ", kClasses - 1, "; the file is damaged");
  return labels;
}

}  // namespace

MnistLike::MnistLike(const std::filesystem::path& folder, Split split, std::string name,
                     double mean, double std)
    : Dataset({std::move(name), {1, kSide, kSide}, kClasses, {mean}, {std}}),
      images_(read_images(find_part(folder, split, "images-idx3-ubyte"))),
      labels_(read_labels(find_part(folder, split, "labels-idx1-ubyte"))) {
  check(images_.extent(0) == labels_.extent(0), folder.string(), ": there are ", images_.extent(0),
        " ", name_of(split), " images and ", labels_.extent(0),
        " labels; the files do not belong together");
}

int32_t MnistLike::read(int64_t index, uint8_t* pixels) const {
  const int64_t bytes = image_shape().size();
  std::memcpy(pixels, images_.data<uint8_t>() + index * bytes, static_cast<size_t>(bytes));
  return labels_.data<uint8_t>()[index];
}

}  // namespace pade::data
