#include <algorithm>
#include <array>
#include <string_view>

#include <pade/data/image_bytes.h>

namespace pade::data {
namespace {

constexpr uint8_t kBaseline = 0xC0, kProgressive = 0xC2, kHuffman = 0xC4, kStart = 0xD8,
                  kEnd = 0xD9, kScan = 0xDA, kQuantisation = 0xDB, kHeight = 0xDC, kRestart = 0xDD,
                  kApplication = 0xE0, kAdobe = 0xEE, kComment = 0xFE;

bool is_restart(uint8_t marker) { return marker >= 0xD0 && marker <= 0xD7; }

/// The markers of what is not read.
constexpr struct {
  std::string_view markers;
  const char* feature;
} kUnread[] = {{"\xC3\xCB\xF7", "lossless compression"},
               {"\xC9\xCA\xCC", "arithmetic coding"},
               {"\xC5\xC6\xC7\xCD\xCE\xCF\xDE\xDF", "several resolutions (hierarchical)"}};

/// Copies the file onto itself, marker by marker, without what has no meaning.
class Cleaner {
 public:
  explicit Cleaner(ImageBytes& bytes) : bytes_(bytes) {}

  void run() {
    check(next() == 0xFF && next() == kStart, "it is damaged: a JPEG marker is missing");
    put_marker(kStart);
    for (uint8_t marker = next_marker(); marker != kEnd; marker = next_marker()) {
      const size_t begin = in_, end = begin + bytes_.big_endian(begin, 2);
      check(end >= begin + 2, "it is damaged: a JPEG segment has no length");
      check(end <= bytes_.size(), "it is truncated");
      read_segment(marker, begin + 2, end);
      put_marker(marker);
      while (in_ < end) put(next());
      if (marker == kScan) copy_scan();
    }
    check(scans_ > 0, "it is damaged: a JPEG without pixels");
    put_marker(kEnd);
    bytes_.all.resize(out_);
  }

 private:
  struct Component {
    uint8_t id, sampling, quantisation;
  };

  uint8_t next() { return bytes_.byte(in_++); }
  void put(uint8_t byte) { bytes_.all[out_++] = byte; }
  void put_marker(uint8_t marker) {
    put(0xFF);
    put(marker);
  }

  /// Reads the byte behind FF, of which there may be several.
  uint8_t next_behind_fill() {
    uint8_t byte = next();
    while (byte == 0xFF) byte = next();
    return byte;
  }

  /// Reads the next marker that has a segment, or ends the image.
  uint8_t next_marker() {
    for (;;) {
      while (next() != 0xFF) {}
      const uint8_t marker = next_behind_fill();
      if (marker > 0x01 && !is_restart(marker)) return marker;
    }
  }

  /// Copies a scan's data, until a marker that is neither an escaped FF nor a restart.
  void copy_scan() {
    for (;;) {
      uint8_t byte = next();
      if (byte == 0xFF) {
        byte = next_behind_fill();
        if (byte != 0 && !is_restart(byte)) break;
        put(0xFF);
      }
      put(byte);
    }
    in_ -= 2;  // in front of that marker
  }

  void read_segment(uint8_t marker, size_t at, size_t end) {
    if (marker == kBaseline || marker == kBaseline + 1 || marker == kProgressive)
      return read_frame(marker, at, end);
    if (marker == kHuffman) return read_huffman_tables(at, end);
    if (marker == kQuantisation) return read_quantisation_tables(at, end);
    if (marker == kScan) return read_scan(at, end);
    if (marker == kAdobe && end - at >= 12 && bytes_.has(at, {"Adobe\0", 6}))
      adobe_transform_ = bytes_.byte(at + 11);
    for (const auto& [markers, feature] : kUnread)
      if (markers.find(static_cast<char>(marker)) != markers.npos)
        unread_kind("a JPEG with ", feature);
    check((marker >= kApplication && marker < kApplication + 16) || marker == kHeight ||
              marker == kRestart || marker == kComment,
          "it is damaged: a JPEG marker is ", int{marker}, ", which stands for nothing");
  }

  void read_frame(uint8_t marker, size_t at, size_t end) {
    check(components_.empty(), "it is damaged: a JPEG has a second frame");
    check(end - at >= 6, "it is damaged: a JPEG's frame is too short");
    progressive_ = marker == kProgressive;
    const int bits = bytes_.byte(at), count = bytes_.byte(at + 5);
    if (bits != 8) unread_kind("a JPEG with ", bits, " bits a colour");
    if (bytes_.big_endian(at + 1, 2) == 0) unread_kind("a JPEG with its height behind its pixels");
    if (count != 1 && count != 3 && count != 4) unread_kind("a JPEG with ", count, " colours");
    check(end - at == 6 + 3 * static_cast<size_t>(count),
          "it is damaged: a JPEG's frame is of another length than its colours want");
    int h = 1, v = 1;
    for (at += 6; at < end; at += 3) {
      components_.push_back({bytes_.byte(at), bytes_.byte(at + 1), bytes_.byte(at + 2)});
      h = std::max(h, components_.back().sampling >> 4);
      v = std::max(v, components_.back().sampling & 15);
    }
    for (const Component& c : components_) {
      check(c.sampling >> 4 && c.sampling & 15 && h <= 4 && v <= 4 && c.quantisation < 4,
            "it is damaged: a JPEG's frame makes no sense");
      if (h % (c.sampling >> 4) || v % (c.sampling & 15))
        unread_kind("a JPEG whose colours are sampled at a fractional ratio");
    }
  }

  /// A table is sixteen numbers of codes, then as many symbols. stb_image 2.27 writes beyond its
  /// own where there are more than 256.
  void read_huffman_tables(size_t at, size_t end) {
    const char* damaged = "it is damaged: a JPEG's Huffman table makes no sense";
    while (at < end) {
      check(end - at >= 17, damaged);
      const uint8_t name = bytes_.byte(at);
      size_t codes = 0;
      for (size_t length = 1; length <= 16; ++length) codes += bytes_.byte(at + length);
      check(name >> 4 <= 1 && (name & 15) < 4 && codes <= 256 && codes <= end - at - 17, damaged);
      (name >> 4 ? has_ac_ : has_dc_)[name & 15] = true;
      at += 17 + codes;
    }
  }

  void read_quantisation_tables(size_t at, size_t end) {
    while (at < end) {
      const uint8_t name = bytes_.byte(at);
      const size_t length = name >> 4 ? 129 : 65;
      check(name >> 4 <= 1 && (name & 15) < 4 && length <= end - at,
            "it is damaged: a JPEG's quantisation table makes no sense");
      has_quantisation_[name & 15] = true;
      at += length;
    }
  }

  void read_scan(size_t at, size_t end) {
    const char* damaged = "it is damaged: a JPEG's scan makes no sense";
    const size_t count = end > at ? bytes_.byte(at) : 0;
    check(count > 0 && count <= components_.size() && end - at == 4 + 2 * count, damaged);
    // Each goes through all pixels, however few bytes it has.
    check(++scans_ <= (progressive_ ? 256u : components_.size()), damaged);
    if (components_.size() == 4 && adobe_transform_ != 0 && adobe_transform_ != 2)
      unread_kind("a CMYK JPEG without Adobe's note of how its colours are stored");
    const uint8_t first = bytes_.byte(end - 3), last = bytes_.byte(end - 2);
    const bool refines = bytes_.byte(end - 1) >> 4 != 0;
    for (size_t i = 0; i < count; ++i) {
      const uint8_t id = bytes_.byte(at + 1 + 2 * i), tables = bytes_.byte(at + 2 + 2 * i);
      const auto component = std::find_if(components_.begin(), components_.end(),
                                          [&](const Component& c) { return c.id == id; });
      check(component != components_.end() && tables >> 4 < 4 && (tables & 15) < 4, damaged);
      const bool needs_dc = first == 0 && !refines, needs_ac = !progressive_ || last > 0;
      check(has_quantisation_[component->quantisation] && (!needs_dc || has_dc_[tables >> 4]) &&
                (!needs_ac || has_ac_[tables & 15]),
            "it is damaged: a JPEG lacks a table that it uses");
    }
  }

  ImageBytes& bytes_;
  size_t in_ = 0, out_ = 0;
  std::vector<Component> components_;
  bool progressive_ = false;
  size_t scans_ = 0;
  int adobe_transform_ = -1;
  std::array<bool, 4> has_dc_{}, has_ac_{}, has_quantisation_{};
};

}  // namespace

void clean_jpeg(ImageBytes& bytes) { Cleaner(bytes).run(); }

}  // namespace pade::data
