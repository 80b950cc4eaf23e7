#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pade {

/// A file in a zip archive.
struct ZipEntry {
  std::string name = {};
  std::string_view stored = {};  ///< its bytes in the archive
  bool deflated = false;         ///< whether these are compressed
  uint64_t size = 0;             ///< and of how many bytes, with which CRC-32
  uint32_t crc = 0;
};

/// The files of an archive, which must stay. Throws Error when it is damaged, encrypted, of several
/// parts, compressed otherwise than by deflate, or larger than 4 GiB (zip64).
std::vector<ZipEntry> zip_entries(std::string_view archive);
/// The file's bytes. Throws Error when their number or CRC-32 is another than the archive says.
std::string unzipped(const ZipEntry& entry);
/// An archive of uncompressed files: of names and stored bytes, and nothing else counts. Throws
/// Error for names that occur twice, and beyond 4 GiB.
std::string zipped(const std::vector<ZipEntry>& entries);

}  // namespace pade
