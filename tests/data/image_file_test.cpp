#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <utility>

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

TEST_CASE("read_image says why a file is not an image that it reads") {
  const TemporaryFolder folder;
  CHECK(reason(folder.write("a.png", "")) == "it is empty");
  CHECK(reason(folder.write("a.png", "some text")) ==
        "it is not a PNG, JPEG, BMP, PPM or PGM image");
  CHECK(reason(folder.write("a.png", "B")) == "it is not a PNG, JPEG, BMP, PPM or PGM image");
  for (const auto& [begin, kind] : std::vector<std::pair<std::string, std::string>>{
           {{"GIF89a\1\0\1\0", 10}, "a GIF image"},
           {{"RIFF\0\0\0\0WEBP", 12}, "a WebP image"},
           {{"II*\0", 4}, "a TIFF image"},
           {{"MM\0*", 4}, "a TIFF image"},
           {{"\0\0\0\x20"
             "ftypavif",
             12},
            "an AVIF image"},
           {{"\0\0\0\x18"
             "ftypheic",
             12},
            "a HEIC image"},
           {{"\0\0\0\x0CJXL \r\n\x87\n", 12}, "a JPEG XL image"}})
    CHECK(reason(folder.write("a.jpg", begin)) ==
          "it is " + kind + ", which is not read; convert it to PNG");
  CHECK(reason(folder.path()) == "it cannot be read: Is a directory");
  REQUIRE(mkfifo((folder / "pipe.png").c_str(), 0600) == 0);
  CHECK(reason(folder / "pipe.png") == "it cannot be read: Operation not supported");
  std::filesystem::create_symlink("nothing", folder / "link.png");
  CHECK(reason(folder / "link.png") == "it cannot be read: No such file or directory");
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

namespace {

/// The pictures of tests/fixtures/make_images.py.
std::vector<uint8_t> picture(const std::string& name) {
  std::vector<uint8_t> pixels;
  for (int y = 0; y < 8; ++y)
    for (int x = 0; x < 16; ++x) {
      const int shade = name.starts_with("bits") ? 255 * ((x + y) % 2) : 20 + 10 * x;
      const bool colour = name.starts_with("colour");
      for (const int value : {shade, colour ? 30 + 12 * y : shade, colour ? 90 : shade})
        pixels.push_back(static_cast<uint8_t>(value));
    }
  return pixels;
}

int largest_difference(const std::vector<uint8_t>& a, const std::vector<uint8_t>& b) {
  REQUIRE(a.size() == b.size());
  int largest = 0;
  for (size_t i = 0; i < a.size(); ++i)
    largest = std::max(largest, std::abs(int{a[i]} - int{b[i]}));
  return largest;
}

std::string fixture(const std::string& name) {
  return contents_of(std::filesystem::path(PADE_FIXTURES) / "images" / name);
}

}  // namespace

TEST_CASE("read_image reads what other programs write") {
  for (const std::string name :
       {"bits.bmp", "bits.png", "colour.ppm", "colour_10_bits.ppm", "colour_cmyk.jpg",
        "colour_interlaced.png", "colour_os2.bmp", "colour_palette.bmp", "colour_palette.png",
        "colour_progressive.jpg", "colour_restarts.jpg", "grey.jpg", "grey.pgm", "grey_16_bits.png",
        "grey_alpha.png"}) {
    CAPTURE(name);
    const auto file = std::filesystem::path(PADE_FIXTURES) / "images" / name;
    const Image image = read_image(file, 3, kMaxPixels);
    CHECK(image.height == 8);
    CHECK(image.width == 16);
    CHECK(largest_difference(image.pixels, picture(name)) <= (name.ends_with("jpg") ? 4 : 0));
    const Image brightness = read_image(file, 1, kMaxPixels);
    std::vector<uint8_t> expected;
    for (size_t i = 0; i < image.pixels.size(); i += 3)
      expected.push_back(static_cast<uint8_t>(
          (77 * image.pixels[i] + 150 * image.pixels[i + 1] + 29 * image.pixels[i + 2]) >> 8));
    CHECK(largest_difference(brightness.pixels, expected) <= (name.ends_with("jpg") ? 2 : 0));
  }
}

TEST_CASE("read_image names what it does not read") {
  const TemporaryFolder folder;
  const auto refusal = [](const std::string& kind) {
    return "it is " + kind + ", which is not read; convert it to PNG";
  };
  CHECK(reason(folder.write("a", fixture("refused_arithmetic.jpg"))) ==
        refusal("a JPEG with arithmetic coding"));
  CHECK(reason(folder.write("a", fixture("refused_text.ppm"))) ==
        refusal("a PPM in its text form (P3)"));

  const std::string jpeg = fixture("colour_progressive.jpg");
  const size_t frame = jpeg.find("\xFF\xC2");
  const auto with = [&](size_t at, char byte) {
    std::string changed = jpeg;
    changed[frame + at] = byte;
    return reason(folder.write("a", changed));
  };
  CHECK(with(1, '\xC3') == refusal("a JPEG with lossless compression"));
  CHECK(with(1, '\xC6') == refusal("a JPEG with several resolutions (hierarchical)"));
  CHECK(with(4, 12) == refusal("a JPEG with 12 bits a colour"));
  CHECK(with(9, 2) == refusal("a JPEG with 2 colours"));
  std::string fractional = jpeg;
  fractional[frame + 11] = '\x31';
  fractional[frame + 14] = '\x21';
  CHECK(reason(folder.write("a", fractional)) ==
        refusal("a JPEG whose colours are sampled at a fractional ratio"));
  std::string cmyk = fixture("colour_cmyk.jpg");
  const size_t adobe = cmyk.find("Adobe");
  REQUIRE(adobe != std::string::npos);
  cmyk[adobe] = 'a';
  CHECK(reason(folder.write("a", cmyk)) ==
        refusal("a CMYK JPEG without Adobe's note of how its colours are stored"));

  std::string bmp = fixture("colour_palette.bmp");
  for (const char way : {'\1', '\2'}) {
    bmp[30] = way;
    CHECK(reason(folder.write("a", bmp)) == refusal("a BMP with RLE compression"));
  }
  bmp[30] = 4;
  CHECK(reason(folder.write("a", bmp)) == refusal("a BMP with a JPEG or PNG inside"));
  std::string apple = image_bytes(ImageFormat::png, 3, 3, 3, shades(3, 3, 3));
  apple.insert(8, png_chunk("CgBI", "\x50\x20\1\1"));
  CHECK(reason(folder.write("a", apple)) == refusal("a PNG made for iPhones (CgBI)"));
}

TEST_CASE("read_image overlooks what has no meaning in a JPEG") {
  const TemporaryFolder folder;
  const std::string whole = fixture("colour_restarts.jpg");
  const auto decode = [&](const std::string& file) {
    return read_image(folder.write("a", file), 3, kMaxPixels).pixels;
  };
  const std::vector<uint8_t> pixels = decode(whole);
  const auto with = [&](size_t at, const std::string& extra) {
    return decode(std::string(whole).insert(at, extra));
  };
  const size_t restart = whole.find("\xFF\xD0"), tables = whole.find("\xFF\xC4"),
               frame = whole.find("\xFF\xC0"), scan = whole.find("\xFF\xDA");
  REQUIRE(std::max({restart, tables, frame, scan}) != std::string::npos);
  CHECK(with(restart, "\xFF\xFF\xFF") == pixels);  // fill bytes
  CHECK(with(restart + 1, "\xFF") == pixels);
  for (const size_t segment : {tables, frame, scan}) {
    CHECK(with(segment, std::string("\0\0\0", 3)) == pixels);  // stray bytes
    CHECK(with(segment, "\xFF\xFF") == pixels);
    CHECK(with(segment, std::string("x\xFF\0\xFF\xD3\xFF\1", 7)) == pixels);
  }
  CHECK(decode(whole + "what follows the end") == pixels);
  CHECK(with(tables, std::string("\xFF\xFE\0\4hi", 6)) == pixels);  // a comment
  CHECK_THROWS_AS(with(tables, std::string("\xFF\xF2\0\4hi", 6)),
                  Error);  // a marker that is not one
}

TEST_CASE("read_image does not take a JPEG that lacks what it uses") {
  const TemporaryFolder folder;
  const std::string whole = fixture("colour_restarts.jpg");
  const auto without = [&](const char* marker) {
    std::string file = whole;
    for (size_t at; (at = file.find(marker)) != std::string::npos;)
      file.erase(at,
                 2 + 256 * static_cast<uint8_t>(file[at + 2]) + static_cast<uint8_t>(file[at + 3]));
    return reason(folder.write("a", file));
  };
  CHECK(without("\xFF\xDB") == "it is damaged: a JPEG lacks a table that it uses");
  CHECK(without("\xFF\xC4") == "it is damaged: a JPEG lacks a table that it uses");
  CHECK(without("\xFF\xC0") == "it is damaged: a JPEG's scan makes no sense");
  // Each scan takes the time of the whole image, however short it is.
  std::string many = fixture("colour_progressive.jpg");
  const size_t scan = many.find("\xFF\xDA"), next = many.find("\xFF\xC4", scan);
  REQUIRE(std::max(scan, next) != std::string::npos);
  std::string scans;
  for (int i = 0; i < 300; ++i) scans += many.substr(scan, next - scan);
  CHECK(reason(folder.write("a", many.insert(scan, scans))) ==
        "it is damaged: a JPEG's scan makes no sense");
}

namespace {

std::string little_endian(uint32_t number, int bytes = 4) {
  std::string result;
  for (int i = 0; i < bytes; ++i) result += static_cast<char>(number >> (8 * i));
  return result;
}

/// A BMP of 2×2 pixels. `behind` follows what all headers have in common: masks, colours.
std::string bmp_bytes(uint32_t header, int32_t height, uint32_t bits, uint32_t way,
                      const std::string& behind, const std::string& pixels) {
  const std::string rest = little_endian(2) + little_endian(static_cast<uint32_t>(height)) +
                           little_endian(1, 2) + little_endian(bits, 2) + little_endian(way) +
                           std::string(20, '\0') + behind;
  return "BM" + std::string(8, '\0') + little_endian(static_cast<uint32_t>(18 + rest.size())) +
         little_endian(header) + rest + pixels;
}

}  // namespace

TEST_CASE("read_image reads BMPs of all headers, depths and directions") {
  const TemporaryFolder folder;
  const auto decode = [&](const std::string& file) {
    return read_image(folder.write("a", file), 3, kMaxPixels).pixels;
  };
  const std::vector<uint8_t> pixels{255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255};
  const auto both_ways = [&](uint32_t header, uint32_t bits, uint32_t way,
                             const std::string& behind, const std::string& upper,
                             const std::string& lower) {
    CAPTURE(header);
    CAPTURE(bits);
    CHECK(decode(bmp_bytes(header, 2, bits, way, behind, lower + upper)) == pixels);
    CHECK(decode(bmp_bytes(header, -2, bits, way, behind, upper + lower)) == pixels);
  };
  const std::string rg24("\0\0\xFF\0\xFF\0\0\0", 8), bw24("\xFF\0\0\xFF\xFF\xFF\0\0", 8);
  both_ways(40, 24, 0, "", rg24, bw24);
  both_ways(40, 24, 0, "a gap", rg24, bw24);
  both_ways(108, 24, 0, std::string(68, '\0'), rg24, bw24);
  both_ways(124, 24, 0, std::string(84, '\0'), rg24, bw24);
  const std::string palette("\0\0\xFF\0\0\xFF\0\0\xFF\0\0\0\xFF\xFF\xFF\0", 16);
  both_ways(40, 8, 0, palette, std::string("\0\1\0\0", 4), std::string("\2\3\0\0", 4));
  both_ways(40, 4, 0, palette, std::string("\x01\0\0\0", 4), std::string("\x23\0\0\0", 4));
  both_ways(40, 2, 0, palette, std::string("\x10\0\0\0", 4), std::string("\xB0\0\0\0", 4));
  both_ways(40, 16, 0, "", std::string("\0\x7C\xE0\x03", 4), std::string("\x1F\0\xFF\x7F", 4));
  const std::string masks565 = little_endian(0xF800) + little_endian(0x7E0) + little_endian(0x1F);
  both_ways(40, 16, 3, masks565, std::string("\0\xF8\xE0\x07", 4),
            std::string("\x1F\0\xFF\xFF", 4));
  const std::string rg32("\0\0\xFF\0\0\xFF\0\0", 8), bw32("\xFF\0\0\0\xFF\xFF\xFF\0", 8);
  const std::string masks = little_endian(0xFF0000) + little_endian(0xFF00) + little_endian(0xFF);
  both_ways(40, 32, 0, "", rg32, bw32);
  both_ways(40, 32, 3, masks, rg32, bw32);
  both_ways(52, 32, 3, masks, rg32, bw32);
  both_ways(56, 32, 3, masks + std::string(4, '\0'), rg32, bw32);
  both_ways(124, 32, 3, masks + std::string(72, '\0'), rg32, bw32);

  const auto refuse = [&](const std::string& file) { return reason(folder.write("a", file)); };
  const std::string lowest = bmp_bytes(40, INT32_MIN, 24, 0, "", rg24 + bw24);
  CHECK(refuse(lowest) == "it has 2147483648×2 pixels, more than the 1048576 that are allowed");
  CHECK(refuse(bmp_bytes(40, -3, 24, 0, "", rg24 + bw24)) == "it is truncated");
  CHECK(refuse(bmp_bytes(40, 2, 8, 0, palette, std::string("\0\1\0\0\4\3\0\0", 8))) ==
        "it is damaged: a BMP's pixel is not in its palette");
  CHECK(refuse(bmp_bytes(40, 2, 32, 3, little_endian(0) + masks.substr(4), rg32 + bw32)) ==
        "it is damaged: a BMP has no bits for a colour");
  CHECK(refuse(bmp_bytes(40, 2, 64, 0, "", rg32 + bw32)) ==
        "it is a BMP with 64 bits a pixel, which is not read; convert it to PNG");
  CHECK(refuse(bmp_bytes(41, 2, 24, 0, "", rg24 + bw24)) ==
        "it is damaged: a BMP's header has 41 bytes");
}

TEST_CASE("read_image reads a PPM's header as it may be written") {
  const TemporaryFolder folder;
  const auto refuse = [&](const std::string& file) { return reason(folder.write("a", file)); };
  const auto decode = [&](const std::string& file) {
    return read_image(folder.write("a", file), 1, kMaxPixels).pixels;
  };
  CHECK(decode("P5 2 1 255\nab") == std::vector<uint8_t>{'a', 'b'});
  CHECK(decode("P5# by me\n2\t#x\n\r1 # 9 9\n255\nab") == std::vector<uint8_t>{'a', 'b'});
  CHECK(decode(std::string("P5 3 1 2\n\0\1\2", 12)) == std::vector<uint8_t>{0, 128, 255});
  CHECK(refuse("P5 2 1 255\na") == "it is truncated");
  CHECK(refuse("P6 2 1 255\nabcde") == "it is truncated");
  CHECK(refuse("P5 2 1 255") == "it is truncated");
  CHECK(refuse("P5 2 -1 255\nab") == "it is damaged: a PPM's header is not three numbers");
  CHECK(refuse("P5 99999999999999999999 1 255\nab") ==
        "it is damaged: a PPM's header is not three numbers");
  CHECK(refuse("P5 2 0 255\nab") == "it is damaged: it has 0×2 pixels");
  CHECK(refuse("P5 2 1 0\nab") == "it is damaged: a PPM's largest value is 0");
  CHECK(refuse("P5 9999999999 9999999999 255\nab") ==
        "it has 9999999999×9999999999 pixels, more than the 1048576 that are allowed");
}

TEST_CASE("a colour that is not in a PNG's palette is the same every time") {
  // A palette of one colour, pixels of colour 7: libpng takes that for black.
  const std::string rows("\0\7\7", 3);
  std::vector<uint8_t> packed(64);
  uLongf size = packed.size();
  REQUIRE(compress(packed.data(), &size, reinterpret_cast<const Bytef*>(rows.data()), 3) == Z_OK);
  const std::string header = big_endian(2) + big_endian(1) + std::string("\x8\3\0\0\0", 5);
  const auto file = [&](const std::string& palettes) {
    return png_signature() + png_chunk("IHDR", header) + palettes +
           png_chunk("IDAT", std::string(packed.begin(), packed.begin() + int64_t(size))) +
           png_chunk("IEND", "");
  };
  const TemporaryFolder folder;
  const std::string palette = png_chunk("PLTE", "abc");
  CHECK(read_image(folder.write("a", file(palette)), 3, kMaxPixels).pixels ==
        std::vector<uint8_t>(6, 0));
  CHECK(reason(folder.write("a", file(palette + palette))) ==
        "it is damaged: a PNG's palette makes no sense");
  CHECK(reason(folder.write("a", file(palette + png_chunk("ABCD", "")))) ==
        "it is damaged: a PNG has a chunk that is unknown");
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
