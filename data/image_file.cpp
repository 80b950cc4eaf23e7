#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <utility>

#include <pade/data/image_bytes.h>
#include <pade/data/image_file.h>

namespace pade::data {
namespace {

/// This is what stb_image may ask for at once. A file of few bytes can stand for very many: they
/// are refused when they are more than the image's header speaks of.
thread_local size_t allocation_limit = 0;

/// Gives zeroed memory: stb_image 2.27 follows Huffman tables that a damaged JPEG has not defined,
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
constexpr std::string_view kPngSignature = "\x89PNG\r\n\x1a\n";
constexpr std::string_view kJpegSignature = "\xFF\xD8";

bool is_pnm(const ImageBytes& bytes) { return bytes.has(0, "P5") || bytes.has(0, "P6"); }

/// Throws Error unless a file that begins so is of a format that we read.
void check_format(const ImageBytes& bytes) {
  using namespace std::string_view_literals;
  static constexpr struct {
    size_t at;
    std::string_view signature;
    const char* name;
  } kOthers[] = {{0, "GIF8", "a GIF image"},
                 {8, "WEBP", "a WebP image"},
                 {0, "II*\0"sv, "a TIFF image"},
                 {0, "MM\0*"sv, "a TIFF image"},
                 {4, "ftypavi", "an AVIF image"},
                 {4, "ftyphei", "a HEIC image"},
                 {0, "\xFF\x0A", "a JPEG XL image"},
                 {4, "JXL ", "a JPEG XL image"},
                 {0, "P2\n", "a PGM in its text form (P2)"},
                 {0, "P3\n", "a PPM in its text form (P3)"}};
  for (const auto& other : kOthers)
    if (bytes.has(other.at, other.signature)) unread_kind(other.name);
  check(bytes.has(0, kPngSignature) || bytes.has(0, kJpegSignature) || bytes.has(0, "BM") ||
            is_pnm(bytes),
        "it is not a PNG, JPEG, BMP, PPM or PGM image");
}

/// Reads the whole file, or only its beginning when that is not an image's.
ImageBytes read_bytes(const fs::path& path) {
  std::error_code error;
  const uintmax_t size = fs::file_size(path, error);  // an error where it is not a regular file
  check(!error, "it cannot be read: ", error.message());
  check(size > 0, "it is empty");
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  check(in.is_open(), "it cannot be read: ", std::strerror(errno));
  ImageBytes bytes;
  for (const uintmax_t wanted : {std::min(size, uintmax_t{16}), size}) {
    check(wanted <= kMaxFileBytes, "it has ", size, " bytes, more than the ", kMaxFileBytes,
          " that are read");
    const size_t got = bytes.size();
    bytes.all.resize(wanted);
    in.read(reinterpret_cast<char*>(bytes.all.data() + got),
            static_cast<std::streamsize>(wanted - got));
    check(!in.fail(), "it cannot be read to its end");
    check_format(bytes);
  }
  return bytes;
}

/// Checks the chunks. Makes a palette 256 colours long: stb_image takes a colour that is not in it
/// from whatever is behind it in memory.
void check_png(ImageBytes& bytes, int64_t max_pixels) {
  constexpr size_t kPalette = size_t{256} * 3;
  if (bytes.has(12, "CgBI")) unread_kind("a PNG made for iPhones (CgBI)");
  check(bytes.has(12, "IHDR"), "it is damaged: a PNG without a header");
  check_pixels(bytes.big_endian(20, 4), bytes.big_endian(16, 4), max_pixels);
  bool has_palette = false, has_pixels = false;
  for (size_t at = kPngSignature.size(); !bytes.has(at + 4, "IEND");) {
    size_t length = bytes.big_endian(at, 4);
    const size_t contents = at + 8;
    check(length <= bytes.size() && contents + length + 4 <= bytes.size(), "it is truncated");
    if (bytes.has(at + 4, "PLTE")) {
      check(!has_palette && length <= kPalette && length % 3 == 0,
            "it is damaged: a PNG's palette makes no sense");
      has_palette = true;
      bytes.all.insert(bytes.all.begin() + static_cast<int64_t>(contents + length),
                       kPalette - length, 0);
      length = kPalette;
      bytes.all[at + 2] = kPalette >> 8;
      bytes.all[at + 3] = kPalette & 255;
    } else if (bytes.has(at + 4, "IDAT")) {
      has_pixels = true;
    } else if (bytes.has(at + 4, "acTL")) {
      check(has_pixels || bytes.big_endian(contents, 4) <= 1,
            "it is animated; only single images are read");
    } else {
      constexpr uint8_t kOptional = 0x20;  // the case of a chunk's first letter
      check(at == kPngSignature.size() || bytes.byte(at + 4) & kOptional,
            "it is damaged: a PNG has a chunk that is unknown");
    }
    at = contents + length + 4;
  }
}

/// Decodes by stb_image what has been checked.
Image decode_packed(const ImageBytes& bytes, int channels, int64_t max_pixels) {
  constexpr size_t kSmall = size_t{1} << 20;
  allocation_limit = 2 * bytes.size() + kSmall;
  const auto size = static_cast<int>(bytes.size());
  int width = 0, height = 0, in_file = 0;
  check(stbi_info_from_memory(bytes.all.data(), size, &width, &height, &in_file),
        "it is damaged: ", stbi_failure_reason());
  check_pixels(height, width, max_pixels);
  // Four channels of 16 bits each, and the blocks of a JPEG that lie partly outside.
  allocation_limit += 8 * (static_cast<size_t>(width) + 64) * (static_cast<size_t>(height) + 64);
  const std::unique_ptr<stbi_uc, void (*)(void*)> decoded(
      stbi_load_from_memory(bytes.all.data(), size, &width, &height, &in_file, channels),
      stbi_image_free);
  check(decoded != nullptr, "it cannot be decoded: ", stbi_failure_reason());
  const auto count = static_cast<size_t>(width) * static_cast<size_t>(height);
  return {height, width, channels, {decoded.get(), decoded.get() + count * size_t(channels)}};
}

/// Makes one channel of three, as stb_image does.
Image to_brightness(Image image) {
  std::vector<uint8_t>& pixels = image.pixels;
  for (size_t i = 0; 3 * i < pixels.size(); ++i)
    pixels[i] = stbi__compute_y(pixels[3 * i], pixels[3 * i + 1], pixels[3 * i + 2]);
  pixels.resize(pixels.size() / 3);
  image.channels = 1;
  return image;
}

}  // namespace

Image read_image(const fs::path& path, int64_t channels, int64_t max_pixels) {
  check(channels == 1 || channels == 3, "read_image: expected 1 or 3 channels, got ", channels);
  ImageBytes bytes = read_bytes(path);
  const bool bmp = bytes.has(0, "BM");
  if (bmp || is_pnm(bytes)) {
    Image image = bmp ? decode_bmp(bytes, max_pixels) : decode_pnm(bytes, max_pixels);
    return channels == 3 ? image : to_brightness(std::move(image));
  }
  if (bytes.has(0, kPngSignature))
    check_png(bytes, max_pixels);
  else
    clean_jpeg(bytes);
  return decode_packed(bytes, static_cast<int>(channels), max_pixels);
}

}  // namespace pade::data
