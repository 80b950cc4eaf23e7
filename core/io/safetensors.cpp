#include <algorithm>
#include <array>
#include <bit>
#include <fstream>
#include <set>
#include <tuple>
#include <utility>

#include <nlohmann/json.hpp>

#include <pade/core/did_you_mean.h>
#include <pade/core/error.h>
#include <pade/core/io/file.h>
#include <pade/core/io/safetensors.h>
#include <pade/core/io/stored_dtype.h>
#include <pade/core/tape.h>
#include <pade/core/text_stream.h>

namespace pade {
namespace {

using nlohmann::json;

constexpr uint64_t kLengthBytes = 8;
constexpr uint64_t kMaxHeaderBytes = 100'000'000;  // the format's own limit
constexpr const char* kMetadata = "__metadata__";

/// One tensor in the header. The offsets count from the end of the header.
struct Entry {
  std::string name;
  const StoredDType* stored;
  Shape shape;
  int64_t begin, end;
};

/// Reads what the header says of one tensor.
Entry read_entry(const std::string& name, const json& fields) {
  const std::string tensor = "tensor \"" + name + '"';
  for (const char* field : {"dtype", "shape", "data_offsets"})
    check(fields.contains(field), tensor, " has no ", field);
  const json& dtype = fields["dtype"];
  const StoredDType* stored =
      dtype.is_string() ? find_stored_dtype(&StoredDType::name, dtype.get<std::string>()) : nullptr;
  check(stored != nullptr, tensor, " has dtype ", dtype,
        ", which cannot be read here; floats of 16 to 64 bits, integers and BOOL can");

  const auto numbers = [&](const char* field) {
    check(fields[field].is_array(), tensor, ": ", field, " is not a list");
    std::vector<int64_t> result;
    for (const json& number : fields[field]) {
      check(number.is_number_unsigned() && number.get<uint64_t>() <= INT64_MAX, tensor, ": ", field,
            " has ", number, ", expected a whole number that is not negative");
      result.push_back(number.get<int64_t>());
    }
    return result;
  };
  const std::vector<int64_t> extents = numbers("shape"), offsets = numbers("data_offsets");
  int64_t elements = 1;
  for (const int64_t extent : extents)
    check(!__builtin_mul_overflow(elements, extent, &elements), tensor,
          " has more elements than can be counted");
  check(offsets.size() == 2 && offsets[0] <= offsets[1], tensor, ": data_offsets is ",
        fields["data_offsets"], ", expected [begin, end]");
  const Shape shape(extents);
  const int64_t bytes = offsets[1] - offsets[0], width = static_cast<int64_t>(stored->bytes);
  check(bytes % width == 0 && bytes / width == elements, tensor, ": shape ", shape, " of ",
        stored->name, " does not fit the ", bytes, " bytes of its data_offsets");
  return {name, stored, shape, offsets[0], offsets[1]};
}

/// Reads a header, whose parts are checked and taken over while it is being parsed, so that nothing
/// is kept of a text that is not a header.
std::vector<Entry> parse_header(const std::string& text,
                                std::map<std::string, std::string>& metadata) {
  check(text.starts_with('{'), "the header is not a JSON object; is this a safetensors file?");
  check(text.find('\0') == text.npos, "the header is not valid JSON: it has a zero byte");
  std::vector<Entry> entries;
  std::string name;         // of the tensor that is being read
  bool is_unknown = false;  // a field that the format may have got since, and of whatever kind
  std::set<std::string> keys[2];
  int numbers_in_list = 0;
  // Depth 0 is the header, 1 what is in it (a tensor's entry or the metadata), 2 the fields of
  // that, 3 the numbers of a shape. Returns whether the parser shall keep the value.
  const auto handle = [&](int depth, json::parse_event_t event, const json& value) {
    using Event = json::parse_event_t;
    if (depth == 2 && event == Event::key)
      is_unknown =
          name != kMetadata && value != "dtype" && value != "shape" && value != "data_offsets";
    if (depth < 2) is_unknown = false;
    if (is_unknown && !(depth == 2 && event == Event::key)) return false;
    if (event == Event::object_start) {
      check(depth <= 1, '"', name, "\" has an object among its fields");
      keys[depth].clear();
    } else if (event == Event::array_start) {
      check(depth == 2, "the header has a list where an object belongs");
      numbers_in_list = 0;
    } else if (event == Event::key) {
      check(keys[depth - 1].insert(value.get<std::string>()).second, "the name ", value,
            " occurs twice in the header");
      if (depth == 1) name = value.get<std::string>();
    } else if (event == Event::value) {
      check(depth >= 2 || (name == kMetadata && value.is_null()), '"', name, "\" is not an object");
      check(depth == 2 || ++numbers_in_list <= Shape::kMaxRank, '"', name,
            "\" has a list of more than ", Shape::kMaxRank, " numbers");
    } else if (event == Event::object_end) {
      if (depth == 1 && name != kMetadata) entries.push_back(read_entry(name, value));
      if (depth == 1 && name == kMetadata)
        for (const auto& [key, string] : value.items()) {
          check(string.is_string(), kMetadata, ": \"", key, "\" is not a string");
          metadata.emplace(key, string.get<std::string>());
        }
      return depth == 0;
    }
    return true;
  };
  try {
    [[maybe_unused]] const json emptied = json::parse(text, handle);
  } catch (const json::exception& error) {
    fail("the header is not valid JSON: ", std::string(error.what()).substr(0, 200));
  }
  return entries;
}

/// Sorts the entries. Throws Error unless they cover [0, data_bytes) without a gap.
void sort_entries(std::vector<Entry>& entries, int64_t data_bytes) {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
  });
  int64_t covered = 0;
  for (const Entry& entry : entries) {
    check(entry.begin == covered, "tensor \"", entry.name, "\" begins at byte ", entry.begin,
          " of the data, expected ", covered, ": the tensors ",
          entry.begin > covered ? "leave a gap" : "overlap");
    covered = entry.end;
  }
  check(covered <= data_bytes, "truncated: the header describes ", covered,
        " bytes of data, the file has ", data_bytes, "; an incomplete download? Get it again");
  check(covered == data_bytes, data_bytes - covered,
        " bytes follow after the last tensor; the file is damaged");
}

/// Writes the header's text, padded with spaces to a multiple of 8 bytes.
std::string format_header(const NamedTensors& tensors,
                          const std::map<std::string, std::string>& metadata,
                          const std::map<std::string, int64_t>& counters) {
  auto fields = nlohmann::ordered_json::object();
  if (!metadata.empty()) fields[kMetadata] = metadata;
  uint64_t end = 0;
  for (const auto& [name, value] : counters) {
    const uint64_t begin = std::exchange(end, end + sizeof value);
    fields[name] = {{"dtype", "I64"},
                    {"shape", nlohmann::ordered_json::array()},
                    {"data_offsets", {begin, end}}};
  }
  for (const auto& [name, tensor] : tensors) {
    const uint64_t begin = std::exchange(end, end + tensor.bytes());
    fields[name] = {{"dtype", stored_dtype_of(tensor.dtype()).name},
                    {"shape", std::vector(tensor.shape().begin(), tensor.shape().end())},
                    {"data_offsets", {begin, end}}};
  }
  try {
    std::string text = fields.dump();
    text.resize((text.size() + 7) / 8 * 8, ' ');
    return text;
  } catch (const json::exception&) {
    fail("write_safetensors: a name or metadata string is not UTF-8");
  }
}

/// Coefficients [n] are those of one group, [1, n].
std::vector<int64_t> without_leading_ones(const Shape& shape) {
  const auto first = std::ranges::find_if(shape, [](int64_t extent) { return extent != 1; });
  return {first, shape.end()};
}

/// PyTorch's batch norm counts batches, which only matters to it where momentum is None.
bool is_batch_counter(std::string_view name) {
  constexpr std::string_view kCounter = "num_batches_tracked";
  return name == kCounter || name.ends_with('.' + std::string(kCounter));
}

/// Throws Error for a file that torch.save() wrote, a zip or, in earlier versions, a pickle.
void check_not_pickled(std::string_view beginning) {
  check(!beginning.starts_with("PK\3\4") && !beginning.starts_with("\x80\2\x8A\n"),
        "this is a file of torch.save(), which only Python can read. Convert it there:\n"
        "  import torch, safetensors.torch\n"
        "  safetensors.torch.save_file(torch.load(\"FILE\", weights_only=True), "
        "\"FILE.safetensors\")");
}

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
  SafetensorsFile file{path.string(), {}, {}};
  std::ifstream in = open_input(path);
  uint64_t left = std::filesystem::file_size(path);
  const auto read = [&](void* to, uint64_t bytes) {
    check(bytes <= left && in.read(static_cast<char*>(to), static_cast<int64_t>(bytes)).good(),
          "truncated: the file ends too soon; an incomplete download? Get it again");
    left -= bytes;
  };
  with_path_in_errors(path, [&] {
    uint64_t header_bytes = 0;
    read(&header_bytes, kLengthBytes);
    check_not_pickled({reinterpret_cast<const char*>(&header_bytes), kLengthBytes});
    check(header_bytes <= kMaxHeaderBytes, "the header's length is ", header_bytes,
          " bytes, the limit is ", kMaxHeaderBytes, "; is this a safetensors file?");
    check(header_bytes <= left, "truncated: the header's length is ", header_bytes,
          " bytes, the file has ", left, " after it; an incomplete download? Get it again");
    std::string text(header_bytes, '\0');
    read(text.data(), header_bytes);
    std::vector<Entry> entries = parse_header(text, file.metadata);
    sort_entries(entries, static_cast<int64_t>(left));
    for (const Entry& entry : entries) {
      with_path_in_errors('"' + entry.name + '"', [&] {
        file.tensors.emplace_back(entry.name, read_elements(*entry.stored, entry.shape, read));
      });
    }
  });
  return file;
}

void write_safetensors(const std::filesystem::path& path, const NamedTensors& tensors,
                       const std::map<std::string, std::string>& metadata,
                       const std::map<std::string, int64_t>& counters) {
  NamedTensors ordered;
  std::set<std::string> names{kMetadata};
  for (const auto& [name, value] : counters) names.insert(name);
  for (const auto& [name, tensor] : tensors) {
    check(names.insert(name).second, "write_safetensors: the name \"", name,
          "\" occurs twice or is reserved");
    check(tensor.defined(), "write_safetensors: \"", name, "\" is an undefined tensor");
    ordered.emplace_back(name, tensor.to(Device::cpu));
  }
  std::stable_sort(ordered.begin(), ordered.end(), [](const auto& a, const auto& b) {
    return size_of(a.second.dtype()) > size_of(b.second.dtype());
  });

  const std::string text = format_header(ordered, metadata, counters);
  check(text.size() <= kMaxHeaderBytes, "write_safetensors: the header would have ", text.size(),
        " bytes, the limit is ", kMaxHeaderBytes);
  const auto length = std::bit_cast<std::array<char, kLengthBytes>>(uint64_t{text.size()});

  std::vector<std::string_view> pieces{{length.data(), length.size()}, text};
  for (const auto& [name, value] : counters)
    pieces.emplace_back(reinterpret_cast<const char*>(&value), sizeof value);
  for (const auto& [name, tensor] : ordered) pieces.push_back(bytes_of(tensor));
  write_file_atomically(path, pieces);
}

SafetensorsFile renamed(SafetensorsFile file, const std::function<std::string(std::string)>& name) {
  for (auto& [own, tensor] : file.tensors) own = name(own);
  return file;
}

void load_into(const NamedTensors& targets, const SafetensorsFile& file) {
  check(!Tape::recording(), "load_into: a tape is open; load before recording");
  std::map<std::string_view, const Tensor*> not_asked_for;
  for (const auto& [name, tensor] : file.tensors) not_asked_for.emplace(name, &tensor);

  TextStream problems;
  std::vector<std::pair<Tensor, const Tensor*>> copies;
  const auto layout = [](const Tensor& tensor) {
    return to_string(tensor.shape()) + ' ' + name_of(tensor.dtype());
  };
  for (const auto& [name, target] : targets) {
    const auto found = not_asked_for.find(name);
    if (found == not_asked_for.end()) {
      problems << "\n  missing: " << name << ' ' << layout(target);
      continue;
    }
    const Tensor& source = *found->second;
    not_asked_for.erase(found);
    if (without_leading_ones(source.shape()) == without_leading_ones(target.shape()) &&
        source.dtype() == target.dtype())
      copies.emplace_back(target, &source);
    else
      problems << "\n  different: " << name << ": expected " << layout(target) << ", got "
               << layout(source);
  }
  for (const auto& [name, tensor] : file.tensors)
    if (not_asked_for.contains(name) && !is_batch_counter(name))
      problems << "\n  unexpected: " << name << ' ' << layout(tensor);
  check(problems.str().empty(), file.path,
        ": does not fit, so nothing was loaded:", problems.str());

  for (auto& [target, source] : copies)
    target.copy_(source->reshape(target.shape()).to(target.device()));
}

}  // namespace pade
