#pragma once

#include <filesystem>
#include <string_view>

#include <pade/core/tensor.h>

namespace pade::data {

/// Reads an array of bytes in the IDX format of MNIST, as it is or gzip'd: two zero bytes, the type
/// (8: unsigned byte), the number of axes (here 1 to 4), their extents (32 bits, big-endian), the
/// elements. Returns them as uint8.
///
/// Throws Error with the path unless all is as it should be, to the last byte; sizes are checked
/// before memory is asked for.
Tensor read_idx(const std::filesystem::path& path);

/// `folder/name`, or else `folder/name.gz`, or else the same with a dot in front of `idx` where
/// `name` has a dash, as some copies of MNIST have it; empty when there is none of them.
std::filesystem::path find_idx(const std::filesystem::path& folder, std::string_view name);

}  // namespace pade::data
