#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace pade::support {

/// A message in the wire format of Protocol Buffers: its fields one after another, each a key,
/// which has the field's number and the kind of its value, and the value. What is set twice is a
/// list. https://protobuf.dev/programming-guides/encoding
class Message {
 public:
  void add(int field, int64_t number) {
    add_varint(key(field, 0));
    add_varint(static_cast<uint64_t>(number));
  }
  void add(int field, float number) {
    add_varint(key(field, 5));
    add_fixed(std::bit_cast<uint32_t>(number));
  }
  void add(int field, double number) {
    add_varint(key(field, 1));
    add_fixed(std::bit_cast<uint64_t>(number));
  }
  void add(int field, std::string_view text) {
    add_varint(key(field, 2));
    add_varint(text.size());
    bytes_ += text;
  }
  void add(int field, const Message& message) { add(field, message.bytes_); }

  const std::string& bytes() const { return bytes_; }

 private:
  static uint64_t key(int field, int kind) { return static_cast<uint64_t>(field << 3 | kind); }
  template <class T>
  void add_fixed(T bits) {
    for (size_t i = 0; i < sizeof bits; ++i) bytes_ += static_cast<char>(bits >> 8 * i & 0xff);
  }
  /// By seven bits, the lowest first; all bytes but the last have their highest bit set.
  void add_varint(uint64_t value) {
    for (; value > 0x7f; value >>= 7) bytes_ += static_cast<char>(0x80 | (value & 0x7f));
    bytes_ += static_cast<char>(value);
  }

  std::string bytes_;
};

}  // namespace pade::support
