#include <algorithm>
#include <iterator>
#include <vector>

#include <pade/core/kernels/cpu/augment.h>
#include <pade/core/kernels/problems.h>
#include <pade/core/random.h>
#include <pade/data/batch_assembler.h>

namespace pade::data {
namespace {

/// rows[i] = tensor[indices[i]].
Tensor gather_rows(const Tensor& tensor, std::span<const int64_t> indices) {
  const int64_t length = tensor.shape().size_from(1);
  Tensor rows = Tensor::empty(tensor.shape().with(0, std::ssize(indices)), tensor.dtype());
  dispatch(tensor.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* from = tensor.data<T>();
    T* to = rows.mutable_data<T>();
    for (const int64_t index : indices) to = std::copy_n(from + index * length, length, to);
  });
  return rows;
}

}  // namespace

Assemble assembler_of(const TensorDataset& set) {
  return [set](std::span<const int64_t> indices) -> AssembledBatch {
    return {gather_rows(set.features(), indices), gather_rows(set.targets(), indices), {}};
  };
}

Assemble assembler_of(const Dataset& set, const LoaderOptions& options, int64_t epoch) {
  const Shape image = set.image_shape();
  const int64_t size = image.size();
  AugmentProblem problem{image[0], image[1], image[2], 0};
  for (const Transform& transform : options.augment) problem.boxes += transform.erased_boxes();
  const auto fields = static_cast<size_t>(kImageEditFields + kBoxFields * problem.boxes);
  // Draws from the image's own part of the epoch's stream.
  const auto draw = [=, transforms = options.augment,
                     stream = Rng(*options.seed, "augment", static_cast<uint64_t>(epoch))](
                        int64_t index, int32_t* row) {
    Rng rng = stream;
    rng.set_counter(static_cast<uint64_t>(index) << 32);
    ImageEdit edit({row, fields}, problem.h, problem.w);
    for (const Transform& transform : transforms) transform.draw(edit, rng);
  };
  const auto empty = [=](int64_t count, DType dtype) -> AssembledBatch {
    return {Tensor::empty({count, image[0], image[1], image[2]}, dtype),
            Tensor::empty({count}, DType::int32),
            {}};
  };
  if (augments_on_device(options))
    return [=, &set](std::span<const int64_t> indices) {
      AssembledBatch batch = empty(std::ssize(indices), DType::uint8);
      batch.edits = Tensor::empty({std::ssize(indices), int64_t(fields)}, DType::int32);
      uint8_t* pixels = batch.images.mutable_data<uint8_t>();
      int32_t* labels = batch.labels.mutable_data<int32_t>();
      int32_t* edits = batch.edits.mutable_data<int32_t>();
      for (const int64_t index : indices) {
        *labels++ = set.read(index, pixels);
        draw(index, edits);
        pixels += size;
        edits += fields;
      }
      return batch;
    };
  return [=, &set, as_it_is = options.augment.empty(), edit = std::vector<int32_t>(fields),
          pixels = std::vector<uint8_t>(static_cast<size_t>(size))](
             std::span<const int64_t> indices) mutable {
    AssembledBatch batch = empty(std::ssize(indices), DType::float32);
    float* images = batch.images.mutable_data<float>();
    int32_t* labels = batch.labels.mutable_data<int32_t>();
    for (const int64_t index : indices) {
      *labels++ = set.read(index, pixels.data());
      if (as_it_is) {
        set.normalize(pixels.data(), images);
      } else {
        draw(index, edit.data());
        cpu::augment_image(problem, pixels.data(), edit.data(), set.levels().data(), images);
      }
      images += size;
    }
    return batch;
  };
}

bool augments_on_device(const LoaderOptions& options) {
  return options.augment_on_device && options.device != Device::cpu;
}

}  // namespace pade::data
