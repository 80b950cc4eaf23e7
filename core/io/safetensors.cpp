#include <algorithm>
#include <array>
#include <bit>
#include <fstream>
#include <set>
#include <utility>

#include <pade/core/error.h>
#include <pade/core/io/atomic_file.h>
#include <pade/core/io/input_file.h>
#include <pade/core/io/safetensors.h>
#include <pade/core/io/safetensors_header.h>
#include <pade/core/names.h>

namespace pade {
namespace {

static_assert(std::endian::native == std::endian::little,
              "safetensors files are little-endian and are read and written without conversion");

constexpr uint64_t kLengthBytes = 8;
constexpr uint64_t kMaxHeaderBytes = 100'000'000;  // the format's own limit

class Reader {
 public:
  explicit Reader(const std::filesystem::path& path)
      : path_(path.string()), stream_(open_input(path)), left_(std::filesystem::file_size(path)) {}

  uint64_t left() const { return left_; }

  void read(void* to, uint64_t bytes) {
    check(bytes <= left_ &&
              stream_.read(static_cast<char*>(to), static_cast<std::streamsize>(bytes)).good(),
          path_, ": truncated: the file ends too soon; an incomplete download? Get it again");
    left_ -= bytes;
  }

 private:
  std::string path_;
  std::ifstream stream_;
  uint64_t left_ = 0;
};

}  // namespace

const Tensor* SafetensorsFile::find(std::string_view name) const {
  for (const auto& [known, tensor] : tensors)
    if (known == name) return &tensor;
  return nullptr;
}

const Tensor& SafetensorsFile::at(std::string_view name) const {
  if (const Tensor* tensor = find(name)) return *tensor;
  std::vector<std::string> names;
  for (const auto& [known, tensor] : tensors) names.push_back(known);
  const std::string nearest = nearest_name(name, names);
  fail(path, ": there is no tensor \"", name, "\"",
       nearest.empty() ? "" : "; did you mean \"" + nearest + "\"?");
}

SafetensorsFile read_safetensors(const std::filesystem::path& path) {
  SafetensorsFile file;
  file.path = path.string();
  Reader reader(path);

  uint64_t header_bytes = 0;
  reader.read(&header_bytes, kLengthBytes);
  check(header_bytes <= kMaxHeaderBytes, file.path, ": the header's length is ", header_bytes,
        " bytes, the limit is ", kMaxHeaderBytes, "; is this a safetensors file?");
  check(header_bytes <= reader.left(), file.path, ": truncated: the header's length is ",
        header_bytes, " bytes, the file has ", reader.left(),
        " after it; an incomplete download? Get it again");
  std::string text(header_bytes, '\0');
  reader.read(text.data(), header_bytes);

  safetensors::Header header = safetensors::parse_header(text, reader.left(), file.path);
  for (const safetensors::Entry& entry : header.entries) {
    Tensor tensor = Tensor::empty(entry.shape, entry.dtype);
    dispatch(entry.dtype, [&](auto zero) {
      reader.read(tensor.mutable_data<decltype(zero)>(), tensor.bytes());
    });
    file.tensors.emplace_back(entry.name, std::move(tensor));
  }
  file.metadata = std::move(header.metadata);
  return file;
}

void write_safetensors(const std::filesystem::path& path, const NamedTensors& tensors,
                       const std::map<std::string, std::string>& metadata) {
  NamedTensors ordered;
  std::set<std::string> names{"__metadata__"};
  for (const auto& [name, tensor] : tensors) {
    check(names.insert(name).second, "write_safetensors: the name \"", name,
          "\" occurs twice or is reserved");
    check(tensor.defined(), "write_safetensors: \"", name, "\" is an undefined tensor");
    ordered.emplace_back(name, tensor.to(Device::cpu));
  }
  std::stable_sort(ordered.begin(), ordered.end(), [](const auto& a, const auto& b) {
    return size_of(a.second.dtype()) > size_of(b.second.dtype());
  });

  safetensors::Header header;
  header.metadata = metadata;
  uint64_t end = 0;
  for (const auto& [name, tensor] : ordered) {
    const uint64_t begin = std::exchange(end, end + tensor.bytes());
    header.entries.push_back({name, tensor.dtype(), tensor.shape(), begin, end});
  }
  const std::string text = format_header(header);
  check(text.size() <= kMaxHeaderBytes, "write_safetensors: the header would have ", text.size(),
        " bytes, the limit is ", kMaxHeaderBytes);
  const auto length = std::bit_cast<std::array<char, kLengthBytes>>(uint64_t{text.size()});

  std::vector<std::string_view> pieces{{length.data(), length.size()}, text};
  for (const auto& entry : ordered) {
    const Tensor& tensor = entry.second;
    dispatch(tensor.dtype(), [&](auto zero) {
      const auto* first = tensor.data<decltype(zero)>();
      pieces.emplace_back(reinterpret_cast<const char*>(first), tensor.bytes());
    });
  }
  write_file_atomically(path, pieces);
}

}  // namespace pade
