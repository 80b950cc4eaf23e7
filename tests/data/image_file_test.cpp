#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>

#include <pade/core/error.h>
#include <pade/core/random.h>
#include <pade/data/image_file.h>
#include <tests/data/image_files.h>
#include <tests/temporary_folder.h>

using namespace pade;
using namespace pade::testing;
using data::Image;
using data::read_image;

namespace {

constexpr int64_t kMaxPixels = 1 << 20;

/// Smooth, so that a JPEG comes near it.
std::vector<uint8_t> shades(int height, int width, int channels) {
  std::vector<uint8_t> pixels;
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < channels; ++c)
        pixels.push_back(static_cast<uint8_t>(40 * (c + 1) + 3 * x + 2 * y));
  return pixels;
}

std::string reason(const std::filesystem::path& path, int64_t max_pixels = kMaxPixels) {
  try {
    (void)read_image(path, 3, max_pixels);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("read_image decodes PNG, JPEG and BMP files, whatever they are called") {
  const TemporaryFolder folder;
  const std::vector<uint8_t> pixels = shades(11, 13, 3);
  for (const ImageFormat format : {ImageFormat::png, ImageFormat::jpeg, ImageFormat::bmp}) {
    const auto file = folder.write("image.data", image_bytes(format, 11, 13, 3, pixels));
    const Image image = read_image(file, 3, kMaxPixels);
    CHECK(image.height == 11);
    CHECK(image.width == 13);
    CHECK(image.channels == 3);
    REQUIRE(image.pixels.size() == pixels.size());
    int largest = 0;
    for (size_t i = 0; i < pixels.size(); ++i)
      largest = std::max(largest, std::abs(int{image.pixels[i]} - int{pixels[i]}));
    CHECK(largest <= (format == ImageFormat::jpeg ? 8 : 0));
  }
}

TEST_CASE("read_image converts to the channels that are asked for") {
  const TemporaryFolder folder;
  const auto pixels = [&](int in_file, int64_t wanted) {
    const auto file = folder.write(
        "image.png", image_bytes(ImageFormat::png, 4, 5, in_file, shades(4, 5, in_file)));
    return read_image(file, wanted, kMaxPixels).pixels;
  };
  const std::vector<uint8_t> grey = shades(4, 5, 1), rgb = shades(4, 5, 3), rgba = shades(4, 5, 4);
  CHECK(pixels(1, 1) == grey);
  const std::vector<uint8_t> from_grey = pixels(1, 3), from_rgba = pixels(4, 3),
                             brightness = pixels(3, 1);
  for (size_t i = 0; i < 20; ++i) {
    // ITU-R BT.601
    const double luma = 0.299 * rgb[3 * i] + 0.587 * rgb[3 * i + 1] + 0.114 * rgb[3 * i + 2];
    CHECK(std::abs(brightness[i] - luma) <= 1);
    for (size_t c = 0; c < 3; ++c) {
      CHECK(from_grey[3 * i + c] == grey[i]);
      CHECK(from_rgba[3 * i + c] == rgba[4 * i + c]);
    }
  }
  CHECK_THROWS_WITH_AS((void)read_image("x.png", 2, kMaxPixels),
                       "read_image: expected 1 or 3 channels, got 2", Error);
}

TEST_CASE("read_image says why a file is no image that it reads") {
  const TemporaryFolder folder;
  CHECK(reason(folder.write("a.png", "")) == "it is empty");
  CHECK(reason(folder.write("a.png", "some text")) == "it is no PNG, JPEG or BMP image");
  CHECK(reason(folder.write("a.png", "B")) == "it is no PNG, JPEG or BMP image");
  for (const std::string& other :
       {std::string("GIF89a\1\0\1\0", 10), std::string("RIFF\0\0\0\0WEBP", 12),
        std::string("II*\0", 4), std::string("MM\0*", 4)})
    CHECK(reason(folder.write("a.jpg", other)) ==
          "it is a GIF, WebP or TIFF image; convert it to PNG to have it read");
  CHECK(reason(folder.path()) == "it is no regular file");
  REQUIRE(mkfifo((folder / "pipe.png").c_str(), 0600) == 0);
  CHECK(reason(folder / "pipe.png") == "it is no regular file");
  std::filesystem::create_symlink("nothing", folder / "link.png");
  CHECK(reason(folder / "link.png") == "it is a link to nothing");
  std::filesystem::create_symlink("circle.png", folder / "circle.png");
  CHECK(reason(folder / "circle.png") == "it cannot be read: Too many levels of symbolic links");
}

TEST_CASE("read_image refuses animated PNGs") {
  const TemporaryFolder folder;
  const std::string plain = image_bytes(ImageFormat::png, 3, 3, 3, shades(3, 3, 3));
  const auto with_frames = [&](uint32_t frames) {
    std::string file = plain;
    file.insert(33, png_chunk("acTL", big_endian(frames) + big_endian(0)));  // behind IHDR
    return folder.write("a.png", file);
  };
  CHECK(reason(with_frames(1)) == "");
  CHECK(reason(with_frames(2)) == "it is animated; only single images are read");
}

TEST_CASE("read_image refuses what is cut off, wherever that is") {
  const TemporaryFolder folder;
  for (const ImageFormat format : {ImageFormat::png, ImageFormat::jpeg, ImageFormat::bmp}) {
    const std::string whole = image_bytes(format, 9, 8, 3, shades(9, 8, 3));
    // Behind the type of a PNG's last chunk only its checksum follows.
    const size_t end = whole.size() - (format == ImageFormat::png ? 4 : 0);
    size_t accepted = 0;
    for (size_t size = 0; size < end; ++size)
      accepted += reason(folder.write("a", whole.substr(0, size))).empty();
    CHECK(accepted == 0);
    CHECK(reason(folder.write("a", whole)) == "");
  }
}

TEST_CASE("read_image survives damaged files") {
  const TemporaryFolder folder;
  Rng rng(1);
  for (const ImageFormat format : {ImageFormat::png, ImageFormat::jpeg, ImageFormat::bmp}) {
    const std::string whole = image_bytes(format, 19, 17, 3, shades(19, 17, 3));
    int refused = 0;
    for (int trial = 0; trial < 400; ++trial) {
      std::string damaged = whole;
      for (uint64_t changes = 1 + rng.below(6); changes > 0; --changes)
        damaged[rng.below(damaged.size())] = static_cast<char>(rng.bits());
      refused += !reason(folder.write("a", damaged)).empty();
    }
    CHECK(refused > 0);
  }
}

TEST_CASE("read_image does not trust a JPEG's Huffman tables") {
  const TemporaryFolder folder;
  const std::string whole = image_bytes(ImageFormat::jpeg, 19, 17, 3, shades(19, 17, 3));
  const size_t tables = whole.find("\xFF\xC4");
  REQUIRE(tables != std::string::npos);
  // More codes than there are symbols: old versions of stb_image write beyond their tables.
  std::string overfull = whole;
  overfull.replace(tables + 5, 16, std::string(16, '\x20'));
  CHECK(reason(folder.write("a", overfull)) ==
        "it is damaged: a JPEG's Huffman table makes no sense");
  // Tables that are used but not there: whatever comes of it, it is the same every time.
  const size_t length =
      2 + 256 * static_cast<uint8_t>(whole[tables + 2]) + static_cast<uint8_t>(whole[tables + 3]);
  const auto without = folder.write("a", std::string(whole).erase(tables, length));
  const auto outcome = [&] {
    try {
      return read_image(without, 3, kMaxPixels).pixels;
    } catch (const Error&) {
      return std::vector<uint8_t>{};
    }
  };
  const std::vector<uint8_t> first = outcome();
  for (int trial = 0; trial < 20; ++trial) {
    const std::vector<uint8_t> garbage(size_t{1} << (10 + trial % 8), 0xAA);  // freed memory's
    CHECK(outcome() == first);
  }
}

TEST_CASE("read_image looks at the size before it decodes") {
  const TemporaryFolder folder;
  const std::string huge_png = png_signature() + png_header(60000, 60000) +
                               png_chunk("IDAT", "nothing") + png_chunk("IEND", "");
  CHECK(reason(folder.write("a", huge_png)) ==
        "it has 60000×60000 pixels, more than the 1048576 that are allowed");
  std::string huge_bmp = image_bytes(ImageFormat::bmp, 2, 2, 3, shades(2, 2, 3));
  huge_bmp.replace(18, 8, std::string("\0\0\1\0\0\0\1\0", 8));
  CHECK(reason(folder.write("a", huge_bmp)) ==
        "it has 65536×65536 pixels, more than the 1048576 that are allowed");
  std::string huge_jpeg = image_bytes(ImageFormat::jpeg, 8, 8, 3, shades(8, 8, 3));
  const size_t frame = huge_jpeg.find("\xFF\xC0");
  REQUIRE(frame != std::string::npos);
  huge_jpeg.replace(frame + 5, 4, "\xFF\xFF\xFF\xFF");
  CHECK(reason(folder.write("a", huge_jpeg)) ==
        "it has 65535×65535 pixels, more than the 1048576 that are allowed");

  const auto file = folder.write("a", image_bytes(ImageFormat::png, 10, 7, 3, shades(10, 7, 3)));
  CHECK(reason(file, 70) == "");
  CHECK(reason(file, 69) == "it has 10×7 pixels, more than the 69 that are allowed");
}

TEST_CASE("read_image does not unpack more than the header speaks of") {
  std::vector<uint8_t> zeros(size_t{64} << 20), packed(1 << 20);
  uLongf size = packed.size();
  REQUIRE(compress2(packed.data(), &size, zeros.data(), zeros.size(), 9) == Z_OK);
  const TemporaryFolder folder;
  const auto bomb = folder.write(
      "a.png", png_signature() + png_header(1, 1) +
                   png_chunk("IDAT", std::string(packed.begin(), packed.begin() + size)) +
                   png_chunk("IEND", ""));
  CHECK(reason(bomb) == "it cannot be decoded: Out of memory");
}
