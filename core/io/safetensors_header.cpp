#include <algorithm>
#include <array>
#include <set>
#include <tuple>
#include <utility>

#include <nlohmann/json.hpp>

#include <pade/core/error.h>
#include <pade/core/io/safetensors_header.h>

namespace pade::safetensors {
namespace {

using nlohmann::json;

constexpr const char* kMetadata = "__metadata__";
constexpr std::array<std::pair<const char*, DType>, 4> kDTypes{{{"F32", DType::float32},
                                                                {"F64", DType::float64},
                                                                {"I32", DType::int32},
                                                                {"U8", DType::uint8}}};

/// Checks and takes over the header while it is being parsed, entry by entry, so that nothing is
/// kept of a text that is not a header.
class HeaderReader {
 public:
  explicit HeaderReader(const std::string& path) : path_(path) {}

  Header read(const std::string& text) {
    require(text.starts_with('{'), "the header is not a JSON object; is this a safetensors file?");
    require(text.find('\0') == text.npos, "the header is not valid JSON: it has a zero byte");
    try {
      [[maybe_unused]] const json emptied =
          json::parse(text, [this](int depth, json::parse_event_t event, json& value) {
            return handle(depth, event, value);
          });
    } catch (const json::exception& error) {
      refuse("the header is not valid JSON: ", std::string(error.what()).substr(0, 200));
    }
    return std::move(header_);
  }

 private:
  template <class... Parts>
  [[noreturn]] void refuse(const Parts&... parts) const {
    fail(path_, ": ", parts...);
  }
  template <class... Parts>
  void require(bool ok, const Parts&... parts) const {
    if (!ok) refuse(parts...);
  }

  /// Depth 0 is the header, 1 what is in it (a tensor's entry or the metadata), 2 the fields of
  /// that, 3 the numbers of a shape. Returns whether the parser shall keep the value.
  bool handle(int depth, json::parse_event_t event, const json& value) {
    using Event = json::parse_event_t;
    switch (event) {
      case Event::object_start:
        require(depth <= 1, "\"", name_, "\" has an object among its fields");
        keys_[depth].clear();
        return true;
      case Event::array_start:
        require(depth == 2, "the header has a list where an object belongs");
        numbers_in_list_ = 0;
        return true;
      case Event::key:
        require(keys_[depth - 1].insert(value.get<std::string>()).second, "the name ", value,
                " occurs twice in the header");
        if (depth == 1) name_ = value.get<std::string>();
        return true;
      case Event::value:
        require(depth >= 2, "\"", name_, "\" is not an object");
        require(depth == 2 || ++numbers_in_list_ <= Shape::kMaxRank, "\"", name_,
                "\" has a list of more than ", Shape::kMaxRank, " numbers");
        return true;
      case Event::object_end:
        if (depth == 1) name_ == kMetadata ? take_metadata(value) : take_entry(value);
        return depth == 0;
      case Event::array_end: return true;
    }
    return true;
  }

  void take_metadata(const json& fields) {
    for (const auto& [key, value] : fields.items()) {
      require(value.is_string(), kMetadata, ": \"", key, "\" is not a string");
      header_.metadata.emplace(key, value.get<std::string>());
    }
  }

  void take_entry(const json& fields) {
    for (const char* field : {"dtype", "shape", "data_offsets"})
      require(fields.contains(field), "tensor \"", name_, "\" has no ", field);
    require(fields.size() == 3, "tensor \"", name_, "\" has fields that the format does not know");
    Entry entry{name_, dtype_named(fields["dtype"]), shape_from(numbers(fields, "shape"))};

    const std::vector<int64_t> offsets = numbers(fields, "data_offsets");
    require(offsets.size() == 2 && offsets[0] <= offsets[1], "tensor \"", name_,
            "\": data_offsets is ", fields["data_offsets"], ", expected [begin, end]");
    entry.begin = static_cast<uint64_t>(offsets[0]);
    entry.end = static_cast<uint64_t>(offsets[1]);
    uint64_t bytes = 0;
    require(!__builtin_mul_overflow(static_cast<uint64_t>(entry.shape.size()), size_of(entry.dtype),
                                    &bytes) &&
                bytes == entry.end - entry.begin,
            "tensor \"", name_, "\": shape ", entry.shape, " of ", entry.dtype,
            " does not fit the ", entry.end - entry.begin, " bytes of its data_offsets");
    header_.entries.push_back(std::move(entry));
  }

  DType dtype_named(const json& value) const {
    for (const auto& [name, dtype] : kDTypes)
      if (value == name) return dtype;
    refuse("tensor \"", name_, "\" has dtype ", value,
           ", which cannot be read here; F32, F64, I32 and U8 can");
  }

  std::vector<int64_t> numbers(const json& fields, const char* field) const {
    std::vector<int64_t> result;
    require(fields[field].is_array(), "tensor \"", name_, "\": ", field, " is not a list");
    for (const json& number : fields[field]) {
      require(number.is_number_unsigned() && number.get<uint64_t>() <= INT64_MAX, "tensor \"",
              name_, "\": ", field, " has ", number,
              ", expected a whole number that is not negative");
      result.push_back(number.get<int64_t>());
    }
    return result;
  }

  Shape shape_from(const std::vector<int64_t>& extents) const {
    int64_t product = 1;
    for (const int64_t extent : extents)
      require(!__builtin_mul_overflow(product, extent, &product), "tensor \"", name_,
              "\" has more elements than can be counted");
    return Shape(extents);
  }

  const std::string& path_;
  Header header_;
  std::string name_;  // of the entry that is being read
  std::set<std::string> keys_[2];
  int numbers_in_list_ = 0;
};

std::string quoted(const std::string& text) {
  try {
    return json(text).dump();
  } catch (const json::exception&) {
    fail("write_safetensors: a name or metadata string is not UTF-8");
  }
}

const char* format_name(DType dtype) {
  return std::find_if(kDTypes.begin(), kDTypes.end(),
                      [&](const auto& known) { return known.second == dtype; })
      ->first;
}

}  // namespace

Header parse_header(const std::string& text, uint64_t data_bytes, const std::string& path) {
  Header header = HeaderReader(path).read(text);
  std::sort(header.entries.begin(), header.entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
  });
  uint64_t covered = 0;
  for (const Entry& entry : header.entries) {
    check(entry.begin == covered, path, ": tensor \"", entry.name, "\" begins at byte ",
          entry.begin, " of the data, expected ", covered, ": the tensors ",
          entry.begin > covered ? "leave a gap" : "overlap");
    covered = entry.end;
  }
  check(covered <= data_bytes, path, ": truncated: the header describes ", covered,
        " bytes of data, the file has ", data_bytes, "; an incomplete download? Get it again");
  check(covered == data_bytes, path, ": ", data_bytes - covered,
        " bytes follow after the last tensor; the file is damaged");
  return header;
}

std::string format_header(const Header& header) {
  std::string text = "{";
  const auto begin_field = [&](const std::string& name) {
    if (text.back() != '{') text += ',';
    text += quoted(name) + ':';
  };
  if (!header.metadata.empty()) {
    begin_field(kMetadata);
    text += '{';
    for (const auto& [key, value] : header.metadata) {
      begin_field(key);
      text += quoted(value);
    }
    text += '}';
  }
  for (const Entry& entry : header.entries) {
    begin_field(entry.name);
    text += std::string("{\"dtype\":\"") + format_name(entry.dtype) + "\",\"shape\":[";
    for (int axis = 0; axis < entry.shape.rank(); ++axis) {
      if (axis > 0) text += ',';
      text += std::to_string(entry.shape[axis]);
    }
    text += "],\"data_offsets\":[" + std::to_string(entry.begin) + ',' + std::to_string(entry.end) +
            "]}";
  }
  text += '}';
  text.resize((text.size() + 7) / 8 * 8, ' ');
  return text;
}

}  // namespace pade::safetensors
