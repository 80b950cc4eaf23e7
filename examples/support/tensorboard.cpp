#include "support/tensorboard.h"

#include <unistd.h>

#include <array>
#include <chrono>
#include <climits>
#include <string_view>

#include <pade/core/io/file.h>

namespace pade::support {
namespace {

/// Castagnoli's, of the bytes in their order.
uint32_t crc32c(std::string_view bytes) {
  static const auto table = [] {
    std::array<uint32_t, 256> entries;
    for (uint32_t i = 0; i < 256; ++i) {
      uint32_t crc = i;
      for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78u : 0u);
      entries[i] = crc;
    }
    return entries;
  }();
  uint32_t crc = ~0u;
  for (const char byte : bytes) crc = crc >> 8 ^ table[(crc ^ static_cast<uint8_t>(byte)) & 0xff];
  return ~crc;
}

std::string little_endian(uint64_t value, int count) {
  std::string bytes;
  for (int i = 0; i < count; ++i) bytes += static_cast<char>(value >> 8 * i & 0xff);
  return bytes;
}

/// The checksum, masked as the format has it, so that one of bytes with a checksum in them is good.
std::string masked_crc(std::string_view bytes) {
  const uint32_t crc = crc32c(bytes);
  return little_endian((crc >> 15 | crc << 17) + 0xa282ead8u, 4);
}

double seconds_since_1970() {
  using std::chrono::system_clock;
  return std::chrono::duration<double>(system_clock::now().time_since_epoch()).count();
}

Message value_of(const std::string& tag) {
  Message value;
  value.add(1, tag);
  return value;
}

}  // namespace

TensorBoardFile::TensorBoardFile(const std::string& folder) {
  char host[HOST_NAME_MAX + 1] = "";
  gethostname(host, sizeof host - 1);
  path_ = folder + "/events.out.tfevents." +
          std::to_string(static_cast<int64_t>(seconds_since_1970())) + '.' + host + '.' +
          std::to_string(getpid());
  add_event(0, {}, true);
}

void TensorBoardFile::add_event(int64_t step, const Message& summary, bool is_first) {
  Message event;
  event.add(1, seconds_since_1970());
  event.add(2, step);
  if (is_first)
    event.add(3, std::string_view("brain.Event:2"));  // the version of the format
  else
    event.add(5, summary);
  const std::string length = little_endian(event.bytes().size(), 8);
  contents_ += length + masked_crc(length) + event.bytes() + masked_crc(event.bytes());
}

void TensorBoardFile::add(int64_t step, const std::string& tag, double value) {
  Message scalar = value_of(tag), summary;
  scalar.add(2, static_cast<float>(value));
  summary.add(1, scalar);
  add_event(step, summary);
}

void TensorBoardFile::add(int64_t step, const std::string& tag, const ValueDistribution& values) {
  if (values.count() == 0) return;
  constexpr int kBars = 64;
  const Histogram bars = values.histogram(kBars);
  const auto count = static_cast<double>(values.count());
  Message histogram, value = value_of(tag), summary;
  histogram.add(1, values.min());
  histogram.add(2, values.max());
  histogram.add(3, count);
  histogram.add(4, count * values.mean());
  histogram.add(5, count * (values.variance() + values.mean() * values.mean()));
  for (size_t i = 0; i < bars.counts.size(); ++i) {
    histogram.add(6, bars.low + bars.width * static_cast<double>(i + 1));  // where a bar ends
    histogram.add(7, static_cast<double>(bars.counts[i]));
  }
  value.add(5, histogram);
  summary.add(1, value);
  add_event(step, summary);
}

void TensorBoardFile::write() const { write_file_atomically(path_, contents_); }

}  // namespace pade::support
