#include <algorithm>
#include <iterator>
#include <utility>

#include <pade/core/kernels/cpu/augment.h>
#include <pade/core/ops/augment.h>
#include <pade/data/batch_assembler.h>

namespace pade::data {
namespace {

int erased_boxes(const std::vector<Transform>& transforms) {
  int boxes = 0;
  for (const Transform& transform : transforms) boxes += transform.erased_boxes();
  return boxes;
}

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

AssembledBatch gather(const TensorDataset& set, std::span<const int64_t> indices) {
  return {gather_rows(set.features(), indices), gather_rows(set.targets(), indices), {}};
}

bool augments_on_device(const LoaderOptions& options) {
  return options.augment_on_device && options.device != Device::cpu;
}

BatchAssembler::BatchAssembler(const Dataset& dataset, const LoaderOptions& options,
                               std::vector<int64_t> order, int64_t epoch)
    : dataset_(dataset),
      order_(std::move(order)),
      batch_size_(options.batch_size),
      transforms_(options.augment),
      on_device_(augments_on_device(options)),
      epoch_draws_(*options.seed, "augment", static_cast<uint64_t>(epoch)),
      problem_{dataset.image_shape()[0], dataset.image_shape()[1], dataset.image_shape()[2],
               erased_boxes(transforms_)},
      edit_(static_cast<size_t>(kImageEditFields + kBoxFields * problem_.boxes)),
      pixels_(static_cast<size_t>(dataset.image_shape().size())) {}

AssembledBatch BatchAssembler::assemble(int64_t number) {
  const int64_t begin = number * batch_size_;
  const int64_t count = std::min(batch_size_, static_cast<int64_t>(order_.size()) - begin);
  const Shape& image = dataset_.image_shape();
  const Shape shape{count, image[0], image[1], image[2]};
  const int64_t* indices = order_.data() + begin;
  AssembledBatch batch;
  batch.labels = Tensor::empty({count}, DType::int32);
  int32_t* labels = batch.labels.mutable_data<int32_t>();
  if (on_device_) {
    const auto fields = static_cast<int64_t>(edit_.size());
    batch.images = Tensor::empty(shape, DType::uint8);
    batch.edits = Tensor::empty({count, fields}, DType::int32);
    uint8_t* pixels = batch.images.mutable_data<uint8_t>();
    int32_t* edits = batch.edits.mutable_data<int32_t>();
    for (int64_t i = 0; i < count; ++i) {
      labels[i] = dataset_.read(indices[i], pixels + i * image.size());
      draw(indices[i], edits + i * fields);
    }
  } else {
    batch.images = Tensor::empty(shape);
    float* images = batch.images.mutable_data<float>();
    for (int64_t i = 0; i < count; ++i) read(indices[i], images + i * image.size(), labels[i]);
  }
  return batch;
}

void BatchAssembler::read(int64_t index, float* image, int32_t& label) {
  label = dataset_.read(index, pixels_.data());
  if (transforms_.empty()) return dataset_.normalize(pixels_.data(), image);
  draw(index, edit_.data());
  cpu::augment_image(problem_, pixels_.data(), edit_.data(), dataset_.levels().data(), image);
}

/// From the image's own part of the epoch's stream.
void BatchAssembler::draw(int64_t index, int32_t* row) const {
  Rng rng = epoch_draws_;
  rng.set_counter(static_cast<uint64_t>(index) << 32);
  ImageEdit edit({row, edit_.size()}, problem_.h, problem_.w);
  for (const Transform& transform : transforms_) transform.draw(edit, rng);
}

}  // namespace pade::data
