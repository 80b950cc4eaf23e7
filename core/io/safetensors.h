#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <pade/core/tensor.h>

namespace pade {

using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

/// What a file in the safetensors format holds: named tensors, in the order of their data, and
/// free-form strings. https://huggingface.co/docs/safetensors describes the format: the length of
/// the header (8 bytes), the header (JSON: name, dtype, shape, place), the elements. All is
/// little-endian.
struct SafetensorsFile {
  std::string path;  ///< where it was read, for messages
  NamedTensors tensors;
  std::map<std::string, std::string> metadata;

  /// Null when there is no tensor of that name.
  const Tensor* find(std::string_view name) const;
  /// Throws Error when there is no tensor of that name.
  const Tensor& at(std::string_view name) const;
};

/// Reads tensors of the dtypes that Padé has, F32, F64, I32 and U8, and wider ones in the place of
/// others: float32 for F16 and BF16, uint8 for BOOL, int32 for all integers, which must fit. The
/// file is not trusted: its header must be right and agree with the file's size before any tensor
/// is made. Throws Error with the path and what is wrong, at the latest when the file ends too
/// soon; for a file of torch.save(), with what converts it.
SafetensorsFile read_safetensors(const std::filesystem::path& path);

/// Writes them atomically (write_file_atomically()): the same input gives the same bytes. Wide
/// dtypes come first in the file, so that every tensor is aligned, and otherwise the order is kept.
/// `counters` become I64 of shape []. Throws Error for names that occur twice, and when the file
/// cannot be written.
void write_safetensors(const std::filesystem::path& path, const NamedTensors& tensors,
                       const std::map<std::string, std::string>& metadata = {},
                       const std::map<std::string, int64_t>& counters = {});

/// The same tensors by other names: name(the old one).
SafetensorsFile renamed(SafetensorsFile file, const std::function<std::string(std::string)>& name);

/// Copies the tensors of a file into those of the same name: a network's state() or an optimiser's.
/// Both sides must have the same names, dtypes and shapes, but for leading axes of one element and
/// for `num_batches_tracked`, which PyTorch's batch norm has and ours does not. Otherwise nothing
/// is changed, and the Error lists all that is missing, unexpected or different.
void load_into(const NamedTensors& targets, const SafetensorsFile& file);

}  // namespace pade
