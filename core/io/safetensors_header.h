#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <pade/core/dtype.h>
#include <pade/core/shape.h>

namespace pade::safetensors {

/// One tensor in the header. The offsets count from the end of the header.
struct Entry {
  std::string name;
  DType dtype = DType::float32;
  Shape shape;
  uint64_t begin = 0, end = 0;
};

struct Header {
  std::vector<Entry> entries;  ///< in the order of their data
  std::map<std::string, std::string> metadata;
};

/// Throws Error, beginning with `path`, unless the text is a header whose entries cover
/// [0, data_bytes) without a gap.
Header parse_header(const std::string& text, uint64_t data_bytes, const std::string& path);

/// The header's text, padded with spaces to a multiple of 8 bytes. Throws Error for a name that is
/// not UTF-8.
std::string format_header(const Header& header);

}  // namespace pade::safetensors
