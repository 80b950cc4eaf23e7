#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <string_view>

#include <pade/core/error.h>
#include <pade/data/image_file.h>

namespace pade::data {
namespace {

/// What stb_image may ask for at once. A file of few bytes can stand for very many: with this limit
/// they are refused when they are more than the image's header speaks of.
thread_local size_t allocation_limit = 0;

/// Its memory is zeroed: version 2.27 follows Huffman tables that a damaged JPEG has not defined,
/// and gives pixels that it has not decoded.
void* allocate(size_t bytes) { return bytes <= allocation_limit ? std::calloc(bytes, 1) : nullptr; }

void* reallocate(void* memory, size_t old_bytes, size_t bytes) {
  if (bytes > allocation_limit) return nullptr;
  void* larger = std::realloc(memory, bytes);
  if (larger && bytes > old_bytes)
    std::memset(static_cast<char*>(larger) + old_bytes, 0, bytes - old_bytes);
  return larger;
}

}  // namespace
}  // namespace pade::data

// A copy of our own, which does not meet another one in the user's program.
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_ONLY_BMP
#define STBI_NO_STDIO
#define STBI_NO_LINEAR
#define STBI_FAILURE_USERMSG
#define STBI_ASSERT(condition) ::pade::check((condition), "it cannot be decoded")
#define STBI_MALLOC(bytes) ::pade::data::allocate(bytes)
#define STBI_REALLOC_SIZED(memory, old_bytes, bytes) \
  ::pade::data::reallocate(memory, old_bytes, bytes)
#define STBI_FREE(memory) std::free(memory)
#include <stb/stb_image.h>

namespace pade::data {
namespace {

namespace fs = std::filesystem;

constexpr uintmax_t kMaxFileBytes = uintmax_t{256} << 20;

/// The bytes of a file, read with their order in mind.
struct Bytes {
  std::vector<uint8_t> all;

  size_t size() const { return all.size(); }
  uint8_t operator[](size_t i) const { return all[i]; }
  bool has(size_t at, std::string_view text) const {
    return at <= size() && text.size() <= size() - at &&
           std::memcmp(all.data() + at, text.data(), text.size()) == 0;
  }
  uint64_t little_endian(size_t at, int bytes) const {
    uint64_t number = 0;
    for (int i = bytes - 1; i >= 0; --i) number = number << 8 | all[at + i];
    return number;
  }
  int64_t big_endian(size_t at, int bytes) const {
    int64_t number = 0;
    for (int i = 0; i < bytes; ++i) number = number << 8 | all[at + i];
    return number;
  }
};

Bytes read_bytes(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  check(status.type() != fs::file_type::none, "it cannot be read: ", error.message());
  check(status.type() != fs::file_type::not_found, "it is a link to nothing");
  check(status.type() == fs::file_type::regular, "it is no regular file");
  const uintmax_t size = fs::file_size(path, error);
  check(!error, "it cannot be read: ", error.message());
  check(size > 0, "it is empty");
  check(size <= kMaxFileBytes, "it has ", size, " bytes, more than the ", kMaxFileBytes,
        " that are read");
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  check(in.is_open(), "it cannot be read: ", std::strerror(errno));
  Bytes bytes{std::vector<uint8_t>(size)};
  in.read(reinterpret_cast<char*>(bytes.all.data()), static_cast<std::streamsize>(size));
  check(!in.fail(), "it cannot be read to its end");
  return bytes;
}

constexpr std::string_view kPngSignature = "\x89PNG\r\n\x1a\n";

void check_pixels(int64_t height, int64_t width, int64_t max_pixels) {
  check(height > 0 && width > 0, "it is damaged: it has ", height, "×", width, " pixels");
  check(height <= max_pixels / width, "it has ", height, "×", width, " pixels, more than the ",
        max_pixels, " that are allowed");
}

void check_png(const Bytes& bytes, int64_t max_pixels) {
  check(bytes.size() >= 24, "it is truncated");
  check_pixels(bytes.big_endian(20, 4), bytes.big_endian(16, 4), max_pixels);
  for (size_t at = kPngSignature.size(); at + 12 <= bytes.size();) {
    if (bytes.has(at + 4, "IDAT")) return;
    check(!bytes.has(at + 4, "acTL") || bytes.big_endian(at + 8, 4) <= 1,
          "it is animated; only single images are read");
    at += static_cast<size_t>(12 + bytes.big_endian(at, 4));
  }
}

/// The tables in a DHT segment [at, end): sixteen numbers of codes each, then as many symbols.
/// stb_image 2.27 writes beyond its own where there are more than 256.
void check_huffman_tables(const Bytes& bytes, size_t at, size_t end) {
  const char* damaged = "it is damaged: a JPEG's Huffman table makes no sense";
  while (at < end) {
    check(end - at >= 17, damaged);
    size_t codes = 0;
    for (size_t length = 1; length <= 16; ++length) codes += bytes[at + length];
    check(codes <= 256 && codes <= end - at - 17, damaged);
    at += 17 + codes;
  }
}

/// Looks at the markers as stb_image will. It takes what is missing at the end for grey, or not,
/// depending on its version.
void check_jpeg(const Bytes& bytes) {
  for (size_t at = 2; at + 1 < bytes.size();) {
    check(bytes[at] == 0xFF, "it is damaged: a JPEG marker is missing");
    const uint8_t marker = bytes[at + 1];
    if (marker == 0xD9) return;  // the end of the image
    ++at;
    if (marker == 0xFF) continue;  // a filler
    ++at;
    if (marker == 0x01 || (marker >= 0xD0 && marker <= 0xD7)) continue;  // no contents
    if (at + 2 > bytes.size()) break;
    const size_t end = at + static_cast<size_t>(bytes.big_endian(at, 2));
    check(end >= at + 2, "it is damaged: a JPEG segment has no length");
    if (end > bytes.size()) break;
    if (marker == 0xC4) check_huffman_tables(bytes, at + 2, end);
    at = end;
    if (marker != 0xDA) continue;
    // The scan's data goes on until a marker that is neither an escaped FF nor a restart.
    for (; at + 1 < bytes.size(); ++at)
      if (bytes[at] == 0xFF && bytes[at + 1] != 0 && (bytes[at + 1] < 0xD0 || bytes[at + 1] > 0xD7))
        break;
  }
  fail("it is truncated");
}

/// stb_image takes what is missing at the end for black.
void check_bmp(const Bytes& bytes, int64_t height, int64_t width) {
  check(bytes.size() >= 30, "it is truncated");
  const bool old_header = bytes.little_endian(14, 4) == 12;
  const uint64_t bits = bytes.little_endian(old_header ? 24 : 28, 2);
  const uint64_t row = static_cast<uint64_t>(width) * bits, stride = (row + 31) / 32 * 4;
  const uint64_t needed =
      bytes.little_endian(10, 4) + stride * static_cast<uint64_t>(height - 1) + (row + 7) / 8;
  check(bytes.size() >= needed, "it is truncated");
}

void check_format(const Bytes& bytes) {
  for (const std::string_view other : {"GIF8", "RIFF", "II*", "MM\0*"})
    check(!bytes.has(0, other),
          "it is a GIF, WebP or TIFF image; convert it to PNG to have it read");
  check(bytes.has(0, kPngSignature) || bytes.has(0, "\xFF\xD8") || bytes.has(0, "BM"),
        "it is no PNG, JPEG or BMP image");
}

}  // namespace

Image read_image(const fs::path& path, int64_t channels, int64_t max_pixels) {
  check(channels == 1 || channels == 3, "read_image: expected 1 or 3 channels, got ", channels);
  const Bytes bytes = read_bytes(path);
  check_format(bytes);
  const uint8_t* data = bytes.all.data();
  const int size = static_cast<int>(bytes.size());
  constexpr size_t kSmall = size_t{1} << 20;
  allocation_limit = 2 * bytes.size() + kSmall;
  int width = 0, height = 0, in_file = 0;
  if (bytes.has(0, kPngSignature)) check_png(bytes, max_pixels);
  if (bytes.has(0, "\xFF\xD8")) check_jpeg(bytes);
  check(stbi_info_from_memory(data, size, &width, &height, &in_file),
        "it is damaged: ", stbi_failure_reason());
  check_pixels(height, width, max_pixels);
  if (bytes.has(0, "BM")) check_bmp(bytes, height, width);

  // Four channels of 16 bits each, and the blocks of a JPEG that lie partly outside.
  allocation_limit += 8 * (static_cast<size_t>(width) + 64) * (static_cast<size_t>(height) + 64);
  const std::unique_ptr<stbi_uc, void (*)(void*)> decoded(
      stbi_load_from_memory(data, size, &width, &height, &in_file, static_cast<int>(channels)),
      stbi_image_free);
  check(decoded != nullptr, "it cannot be decoded: ", stbi_failure_reason());
  const size_t count =
      static_cast<size_t>(width) * static_cast<size_t>(height) * static_cast<size_t>(channels);
  return {height, width, channels, {decoded.get(), decoded.get() + count}};
}

}  // namespace pade::data
