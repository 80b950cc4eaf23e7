#include <algorithm>
#include <cstring>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <pade/core/error.h>
#include <pade/core/io/file.h>
#include <pade/core/io/npy.h>
#include <pade/core/io/stored_dtype.h>
#include <pade/core/io/zip.h>
#include <pade/core/numbers.h>

/// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html describes the format: a
/// magic string, the version, the length of the header, the header (a dictionary as Python writes
/// it), the elements.
namespace pade {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY", kEnding = ".npy";

/// What stands behind `'key':` in the header, up to the next comma or brace at that level.
std::string_view field(std::string_view header, const std::string& key) {
  const size_t at = header.find('\'' + key + "':");
  check(at != header.npos, "the header has no ", key);
  std::string_view rest = header.substr(at + key.size() + 3);
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  const size_t end = rest.starts_with('(') || rest.starts_with('[')
                         ? rest.find(rest[0] == '(' ? ')' : ']') + 1
                         : rest.find_first_of(",}");
  check(end != rest.npos && end > 0, "the header ends in its ", key);
  return rest.substr(0, end);
}

std::vector<int64_t> extents_in(std::string_view tuple) {
  check(tuple.starts_with('(') && tuple.ends_with(')'), "the shape is ", tuple, ", not a tuple");
  std::vector<int64_t> extents;
  for (std::string_view rest = tuple.substr(1, tuple.size() - 2); !rest.empty();) {
    const size_t comma = std::min(rest.find(','), rest.size());
    std::string_view word = rest.substr(0, comma);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    word.remove_prefix(std::min(word.find_first_not_of(' '), word.size()));
    if (word.empty() && rest.empty()) break;
    const std::optional<int64_t> extent = parse_int64(word);
    check(extent && *extent >= 0, "the shape is ", tuple, ", expected whole numbers");
    extents.push_back(*extent);
  }
  check(std::ssize(extents) <= Shape::kMaxRank, "the array has ", extents.size(),
        " axes, the limit is ", Shape::kMaxRank);
  return extents;
}

/// The tensor with its axes in the opposite order.
Tensor with_axes_reversed(const Tensor& tensor) {
  std::vector<int64_t> extents(tensor.shape().begin(), tensor.shape().end());
  std::ranges::reverse(extents);
  Tensor result = Tensor::empty(Shape(extents), tensor.dtype());
  dispatch(tensor.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* from = tensor.data<T>();
    T* to = result.mutable_data<T>();
    std::vector<int64_t> at(extents.size());
    for (int64_t i = 0; i < tensor.size(); ++i) {
      int64_t offset = 0;
      for (size_t axis = extents.size(); axis-- > 0;) offset = offset * extents[axis] + at[axis];
      *to++ = from[offset];
      for (size_t axis = extents.size(); axis-- > 0 && ++at[axis] == extents[axis];) at[axis] = 0;
    }
  });
  return result;
}

Tensor parse_npy(std::string_view bytes) {
  const auto take = [&](uint64_t count) {
    check(count <= bytes.size(), "truncated: it ends too soon; an incomplete download?");
    return std::exchange(bytes, bytes.substr(count)).substr(0, count);
  };
  check(bytes.starts_with(kMagic), "this is not an array of NumPy (.npy)");
  take(kMagic.size());
  const int version = static_cast<uint8_t>(take(2)[0]);
  check(version >= 1 && version <= 3, "its version is ", version, ", expected 1 to 3");
  uint32_t length = 0;
  const std::string_view digits = take(version == 1 ? 2 : 4);
  std::memcpy(&length, digits.data(), digits.size());
  const std::string_view header = take(length), quoted = field(header, "descr");
  const std::string_view name = quoted.size() >= 2 ? quoted.substr(1, quoted.size() - 2) : quoted;
  const StoredDType* stored = find_stored_dtype(&StoredDType::numpy, name);
  check(stored != nullptr, "its elements are ", quoted, "; floats of 16 to 64 bits, integers and ",
        "booleans can be read, little-endian: a.astype('<f4') makes such an array");
  const std::string_view order = field(header, "fortran_order");
  check(order == "True" || order == "False", "fortran_order is ", order);
  std::vector<int64_t> extents = extents_in(field(header, "shape"));
  int64_t size = static_cast<int64_t>(stored->bytes);
  for (const int64_t extent : extents)
    check(!__builtin_mul_overflow(size, extent, &size),
          "the array has more elements than can be counted");
  check(static_cast<uint64_t>(size) == bytes.size(), "the shape asks for ", size,
        " bytes of elements, and there are ", bytes.size());
  if (order == "True") std::ranges::reverse(extents);
  const Tensor tensor = read_elements(*stored, Shape(extents), [&](void* to, size_t count) {
    if (count > 0) std::memcpy(to, bytes.data(), count);
  });
  return order == "True" ? with_axes_reversed(tensor) : tensor;
}

/// Everything in front of the elements, padded to a multiple of 64 bytes.
std::string format_header(const Tensor& tensor) {
  std::string shape;
  for (const int64_t extent : tensor.shape())
    shape += (shape.empty() ? "" : ", ") + std::to_string(extent);
  if (tensor.rank() == 1) shape += ',';
  std::string text = std::string("{'descr': '") + stored_dtype_of(tensor.dtype()).numpy +
                     "', 'fortran_order': False, 'shape': (" + shape + "), }";
  const size_t before = kMagic.size() + 4;
  text.resize((before + text.size() + 1 + 63) / 64 * 64 - before - 1, ' ');
  text += '\n';
  std::string header(kMagic);
  header += {'\1', '\0', static_cast<char>(text.size() & 255), static_cast<char>(text.size() >> 8)};
  return header + text;
}

}  // namespace

Tensor read_npy(const std::filesystem::path& path) {
  const std::string bytes = read_file(path);
  return with_path_in_errors(path, [&] { return parse_npy(bytes); });
}

std::string npy_file(const Tensor& tensor) {
  check(tensor.defined(), "npy_file: the tensor is undefined");
  const Tensor here = tensor.to(Device::cpu);
  return format_header(here).append(bytes_of(here));
}

void write_npy(const std::filesystem::path& path, const Tensor& tensor) {
  write_file_atomically(path, npy_file(tensor));
}

NamedTensors read_npz(const std::filesystem::path& path) {
  const std::string bytes = read_file(path);
  return with_path_in_errors(path, [&] {
    NamedTensors tensors;
    for (const ZipEntry& entry : zip_entries(bytes)) {
      const bool is_array = entry.name.ends_with(kEnding);
      const std::string name = entry.name.substr(0, entry.name.size() - (is_array ? 4 : 0));
      with_path_in_errors('"' + name + '"', [&] {
        check(is_array, "is not an array of NumPy (.npy)");
        tensors.emplace_back(name, parse_npy(unzipped(entry)));
      });
    }
    return tensors;
  });
}

void write_npz(const std::filesystem::path& path, const NamedTensors& tensors) {
  std::vector<ZipEntry> entries;
  std::vector<std::string> contents;
  for (const auto& [name, tensor] : tensors) {
    contents.push_back(npy_file(tensor));
    entries.push_back({.name = name + std::string(kEnding)});
  }
  for (size_t i = 0; i < entries.size(); ++i) entries[i].stored = contents[i];
  write_file_atomically(path, zipped(entries));
}

}  // namespace pade
