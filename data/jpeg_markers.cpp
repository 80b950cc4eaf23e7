#include <algorithm>
#include <array>
#include <string_view>

#include <pade/data/image_bytes.h>

namespace pade::data {
namespace {

constexpr uint8_t kProgressive = 0xC2, kHuffman = 0xC4, kEnd = 0xD9, kScan = 0xDA,
                  kQuantisation = 0xDB, kAdobe = 0xEE;
/// The markers of what is not read.
constexpr struct {
  std::string_view markers;
  const char* feature;
} kUnread[] = {{"\xC3\xCB\xF7", "lossless compression"},
               {"\xC9\xCA\xCC", "arithmetic coding"},
               {"\xC5\xC6\xC7\xCD\xCE\xCF\xDE\xDF", "several resolutions (hierarchical)"}};

void check_sane(bool sane, const char* part) {
  check(sane, "it is damaged: a JPEG's ", part, " makes no sense");
}

/// Copies the file onto itself, marker by marker, without what has no meaning.
class Cleaner {
 public:
  explicit Cleaner(ImageBytes& bytes) : bytes_(bytes) {}

  void run() {
    for (uint8_t marker = 0; (marker = next_marker(marker == kScan)) != kEnd;) {
      const size_t begin = in_ + 2, end = in_ + bytes_.big_endian(in_, 2);
      check_sane(end >= begin, "segment");
      check(end <= bytes_.size(), "it is truncated");
      read_segment(marker, begin, end);
      put_behind_ff(marker);
      while (in_ < end) put(next());
    }
    check(scans_ > 0, "it is damaged: a JPEG without pixels");
    put_behind_ff(kEnd);
    bytes_.all.resize(out_);
  }

 private:
  uint8_t next() { return bytes_.byte(in_++); }
  void put(uint8_t byte) { bytes_.all[out_++] = byte; }
  void put_behind_ff(uint8_t byte) {
    put(0xFF);
    put(byte);
  }

  /// Goes on to the next marker that has a segment, or ends the image. Copies what is in front of
  /// it where that is a scan's data, with its escaped FFs and its restarts.
  uint8_t next_marker(bool in_scan) {
    for (;;) {
      uint8_t byte = next();
      if (byte != 0xFF) {
        if (in_scan) put(byte);
        continue;
      }
      while (byte == 0xFF) byte = next();  // of which there may be several
      const bool is_restart = byte >= 0xD0 && byte <= 0xD7;
      if (byte > 1 && !is_restart) return byte;
      if (in_scan && byte != 1) put_behind_ff(byte);
    }
  }

  void read_segment(uint8_t marker, size_t at, size_t end) {
    if (marker >= 0xC0 && marker <= kProgressive) return read_frame(marker, at, end);
    if (marker == kHuffman || marker == kQuantisation)
      return read_tables(marker == kHuffman, at, end);
    if (marker == kScan) return read_scan(at, end);
    if (marker == kAdobe && end - at >= 12 && bytes_.has(at, {"Adobe\0", 6}))
      adobe_transform_ = bytes_.byte(at + 11);
    for (const auto& [markers, feature] : kUnread)
      if (markers.find(static_cast<char>(marker)) != markers.npos)
        unread_kind("a JPEG with ", feature);
    // Those of applications, of comments, of restarts and of the height do no harm.
    check((marker >= 0xE0 && marker <= 0xEF) || marker == 0xFE || marker == 0xDD || marker == 0xDC,
          "it is damaged: a JPEG marker is ", int{marker}, ", which stands for nothing");
  }

  void read_frame(uint8_t marker, size_t at, size_t end) {
    check_sane(components_.empty() && end - at >= 6, "frame");
    progressive_ = marker == kProgressive;
    const int bits = bytes_.byte(at), count = bytes_.byte(at + 5);
    if (bits != 8) unread_kind("a JPEG with ", bits, " bits a colour");
    if (bytes_.big_endian(at + 1, 2) == 0) unread_kind("a JPEG with its height behind its pixels");
    if (count != 1 && count != 3 && count != 4) unread_kind("a JPEG with ", count, " colours");
    check_sane(end - at == 6 + 3 * static_cast<size_t>(count), "frame");
    int most_h = 1, most_v = 1;
    for (at += 6; at < end; at += 3) {
      const uint8_t sampling = bytes_.byte(at + 1);
      components_.push_back({bytes_.byte(at), bytes_.byte(at + 2), sampling >> 4, sampling & 15});
      most_h = std::max(most_h, sampling >> 4);
      most_v = std::max(most_v, sampling & 15);
    }
    for (const Component& c : components_) {
      check_sane(c.h > 0 && c.v > 0 && most_h <= 4 && most_v <= 4 && c.quantisation < 4, "frame");
      if (most_h % c.h || most_v % c.v)
        unread_kind("a JPEG whose colours are sampled at a fractional ratio");
    }
  }

  /// A Huffman table is its name, sixteen numbers of codes and as many symbols: stb_image 2.27
  /// writes beyond its own where there are more than 256. One for quantisation is its name and 64
  /// numbers.
  void read_tables(bool huffman, size_t at, size_t end) {
    while (at < end) {
      const uint8_t name = bytes_.byte(at), kind = name >> 4, number = name & 15;
      size_t symbols = 0;
      for (size_t i = 1; huffman && i <= 16; ++i) symbols += bytes_.byte(at + i);
      const size_t length = huffman ? 17 + symbols : kind ? 129 : 65;
      check_sane(kind <= 1 && number < 4 && symbols <= 256 && length <= end - at,
                 huffman ? "Huffman table" : "quantisation table");
      has_table_[huffman ? kind : 2][number] = true;
      at += length;
    }
  }

  void read_scan(size_t at, size_t end) {
    const size_t count = end > at ? bytes_.byte(at) : 0;
    check_sane(count > 0 && count <= components_.size() && end - at == 4 + 2 * count, "scan");
    // Each goes through all pixels, however few bytes it has.
    check_sane(++scans_ <= (progressive_ ? 256u : components_.size()), "scan");
    if (components_.size() == 4 && adobe_transform_ != 0 && adobe_transform_ != 2)
      unread_kind("a CMYK JPEG without Adobe's note of how its colours are stored");
    const bool refines = bytes_.byte(end - 1) >> 4 != 0,
               needs_dc = bytes_.byte(end - 3) == 0 && !refines,
               needs_ac = !progressive_ || bytes_.byte(end - 2) > 0;
    for (++at; at < end - 3; at += 2) {
      const size_t dc = bytes_.byte(at + 1) >> 4, ac = bytes_.byte(at + 1) & 15;
      const auto component = std::ranges::find(components_, bytes_.byte(at), &Component::id);
      check_sane(component != components_.end() && dc < 4 && ac < 4, "scan");
      check(has_table_[2][component->quantisation] && (!needs_dc || has_table_[0][dc]) &&
                (!needs_ac || has_table_[1][ac]),
            "it is damaged: a JPEG lacks a table that it uses");
    }
  }

  struct Component {
    uint8_t id, quantisation;
    int h, v;  // how densely it is sampled
  };

  ImageBytes& bytes_;
  size_t in_ = 2, out_ = 2, scans_ = 0;  // behind the marker of a JPEG
  std::vector<Component> components_;
  bool progressive_ = false;
  int adobe_transform_ = -1;
  std::array<std::array<bool, 4>, 3> has_table_{};  // DC, AC, quantisation
};

}  // namespace

void clean_jpeg(ImageBytes& bytes) { Cleaner(bytes).run(); }

}  // namespace pade::data
