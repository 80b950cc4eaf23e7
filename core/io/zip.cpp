#include <zlib.h>

#include <algorithm>
#include <set>

#include <pade/core/error.h>
#include <pade/core/io/zip.h>

/// https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT describes the format: each file
/// behind a local header, then a directory with an entry for each, then where that is.
namespace pade {
namespace {

constexpr std::string_view kLocal = "PK\3\4", kDirectory = "PK\1\2", kEnd = "PK\5\6";
constexpr size_t kLocalBytes = 30, kDirectoryBytes = 46, kEndBytes = 22;
constexpr uint64_t kMost = UINT32_MAX;
constexpr uint64_t kMaxDeflateRatio = 1032;  // what zlib's format can reach

/// The little-endian number of so many bytes.
uint64_t number(std::string_view bytes, size_t at, size_t count) {
  check(at <= bytes.size() && count <= bytes.size() - at, "the archive is truncated");
  uint64_t value = 0;
  for (size_t i = count; i-- > 0;) value = value << 8 | static_cast<uint8_t>(bytes[at + i]);
  return value;
}

void append(std::string& bytes, uint64_t value, int count) {
  for (int i = 0; i < count; ++i) bytes += static_cast<char>(value >> 8 * i & 255);
}

std::string_view part(std::string_view bytes, uint64_t at, uint64_t count) {
  check(at <= bytes.size() && count <= bytes.size() - at, "the archive is truncated");
  return bytes.substr(at, count);
}

uint32_t crc_of(std::string_view bytes) {
  return static_cast<uint32_t>(
      crc32_z(0, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

}  // namespace

std::vector<ZipEntry> zip_entries(std::string_view archive) {
  const size_t end = archive.rfind(kEnd);  // behind it there is only a comment
  check(archive.starts_with("PK") && end != archive.npos &&
            number(archive, end + 20, 2) == archive.size() - end - kEndBytes,
        "this is not a zip archive, or a truncated one");
  const uint64_t count = number(archive, end + 10, 2);
  check(number(archive, end + 4, 4) == 0 && number(archive, end + 8, 2) == count,
        "the archive has several parts");
  std::vector<ZipEntry> entries;
  uint64_t at = number(archive, end + 16, 4);
  for (uint64_t i = 0; i < count; ++i) {
    check(part(archive, at, kDirectoryBytes).starts_with(kDirectory), "the archive is damaged");
    const uint64_t flags = number(archive, at + 8, 2), method = number(archive, at + 10, 2),
                   packed = number(archive, at + 20, 4), size = number(archive, at + 24, 4),
                   name_bytes = number(archive, at + 28, 2), local = number(archive, at + 42, 4);
    ZipEntry entry{.name = std::string(part(archive, at + kDirectoryBytes, name_bytes)),
                   .deflated = method == 8,
                   .size = size,
                   .crc = static_cast<uint32_t>(number(archive, at + 16, 4))};
    check(!(flags & 1), '"', entry.name, "\" is encrypted");
    check(method == 0 || method == 8, '"', entry.name, "\" is compressed in a way (", method,
          ") that is not read");
    check(packed < kMost && size < kMost && local < kMost, '"', entry.name,
          "\" is in the form for more than 4 GiB (zip64), which is not read");
    check(part(archive, local, kLocalBytes).starts_with(kLocal), "the archive is damaged");
    entry.stored =
        part(archive,
             local + kLocalBytes + number(archive, local + 26, 2) + number(archive, local + 28, 2),
             packed);
    entries.push_back(entry);
    at += kDirectoryBytes + name_bytes + number(archive, at + 30, 2) + number(archive, at + 32, 2);
  }
  return entries;
}

std::string unzipped(const ZipEntry& entry) {
  std::string bytes(entry.stored);
  if (entry.deflated) {
    check(entry.size <= entry.stored.size() * kMaxDeflateRatio, "says that it has ", entry.size,
          " bytes, more than ", entry.stored.size(), " compressed ones can hold");
    bytes.resize(entry.size);
    z_stream stream{};
    check(inflateInit2(&stream, -MAX_WBITS) == Z_OK, "not enough memory to unpack it");
    stream.next_in = reinterpret_cast<unsigned char*>(const_cast<char*>(entry.stored.data()));
    stream.avail_in = static_cast<uInt>(entry.stored.size());
    stream.next_out = reinterpret_cast<unsigned char*>(bytes.data());
    stream.avail_out = static_cast<uInt>(bytes.size());
    const int code = inflate(&stream, Z_FINISH);
    inflateEnd(&stream);
    check(code == Z_STREAM_END && stream.avail_out == 0, "cannot be unpacked: it is damaged");
  }
  check(bytes.size() == entry.size && crc_of(bytes) == entry.crc,
        "has another checksum than the archive says: it is damaged");
  return bytes;
}

std::string zipped(const std::vector<ZipEntry>& entries) {
  std::string archive, directory;
  std::set<std::string> names;
  for (const ZipEntry& entry : entries) {
    check(names.insert(entry.name).second, "the name \"", entry.name, "\" occurs twice");
    const uint64_t local = archive.size(), size = entry.stored.size();
    check(entry.name.size() <= UINT16_MAX && local + size < kMost, "\"", entry.name,
          "\" takes the archive beyond 4 GiB");
    std::string fields;             // the same in both headers
    append(fields, 20, 2);          // the version that is needed
    append(fields, 1 << 11, 2);     // names are UTF-8
    append(fields, 0, 2);           // uncompressed
    append(fields, 0x00210000, 4);  // at midnight of the first day of 1980: no clock is looked at
    append(fields, crc_of(entry.stored), 4);
    append(fields, size, 4);
    append(fields, size, 4);
    append(fields, entry.name.size(), 2);
    append(fields, 0, 2);
    archive += kLocal;
    archive += fields + entry.name;
    archive += entry.stored;
    directory += kDirectory;
    append(directory, 20, 2);
    directory += fields;
    append(directory, 0, 6);  // comment, part and inner attributes
    append(directory, 0, 4);  // outer attributes
    append(directory, local, 4);
    directory += entry.name;
  }
  const uint64_t start = archive.size();
  archive += directory;
  archive += kEnd;
  append(archive, 0, 4);
  append(archive, entries.size(), 2);
  append(archive, entries.size(), 2);
  append(archive, directory.size(), 4);
  append(archive, start, 4);
  append(archive, 0, 2);
  check(archive.size() < kMost && entries.size() < UINT16_MAX, "the archive would exceed 4 GiB");
  return archive;
}

}  // namespace pade
