#include <zlib.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <pade/core/error.h>
#include <pade/core/io/file.h>
#include <pade/data/idx.h>

namespace pade::data {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMaxBytes = int64_t{4} << 30;
constexpr int64_t kMaxDeflateRatio = 1032;  // what zlib's format can reach
constexpr const char* kRemedy = "; an incomplete download? Delete it and get it again";

/// Reads a file, and decompresses it meanwhile when it is gzip'd.
class GzipFile {
 public:
  explicit GzipFile(const fs::path& path)
      : path_(path.string()),
        file_(open_input(path)),
        stored_bytes_(static_cast<int64_t>(fs::file_size(path))) {
    uint8_t magic[2]{};
    read_stored(magic, 2);
    file_.clear();
    file_.seekg(0);
    compressed_ = magic[0] == 0x1F && magic[1] == 0x8B;
    if (compressed_)
      check(inflateInit2(&stream_, MAX_WBITS + 16) == Z_OK, path_,
            ": not enough memory to read it");
  }
  ~GzipFile() {
    if (compressed_) inflateEnd(&stream_);
  }
  GzipFile(const GzipFile&) = delete;
  GzipFile& operator=(const GzipFile&) = delete;

  /// Reads `bytes`, or fewer where the file ends. Returns how many.
  int64_t read(uint8_t* to, int64_t bytes) {
    if (!compressed_) return read_stored(to, bytes);
    constexpr int64_t kPiece = int64_t{1} << 30;  // zlib counts with 32 bits
    int64_t done = 0;
    while (done < bytes) {
      if (stream_.avail_in == 0) {
        stream_.next_in = buffer_.data();
        stream_.avail_in = static_cast<uInt>(read_stored(buffer_.data(), std::ssize(buffer_)));
        if (stream_.avail_in == 0) break;
      }
      // A gzip file consists of one or several members; behind them there is nothing else.
      check(!member_ended_ || stream_.next_in[0] == 0x1F, path_,
            ": damaged: there is something else behind the compressed data", kRemedy);
      if (member_ended_) inflateReset(&stream_);
      stream_.next_out = to + done;
      const auto room = static_cast<uInt>(std::min(kPiece, bytes - done));
      stream_.avail_out = room;
      const int code = inflate(&stream_, Z_NO_FLUSH);
      check(code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR, path_,
            ": damaged: ", stream_.msg ? stream_.msg : "it is not gzip'd data", kRemedy);
      member_ended_ = code == Z_STREAM_END;
      done += room - stream_.avail_out;
    }
    check(done == bytes || member_ended_, path_, ": truncated: the compressed data ends too soon",
          kRemedy);
    return done;
  }

  int64_t stored_bytes() const { return stored_bytes_; }
  bool compressed() const { return compressed_; }

 private:
  int64_t read_stored(uint8_t* to, int64_t bytes) {
    file_.read(reinterpret_cast<char*>(to), bytes);
    check(!file_.bad(), path_, ": it cannot be read to its end");
    return file_.gcount();
  }

  std::string path_;
  std::ifstream file_;
  int64_t stored_bytes_;
  std::vector<uint8_t> buffer_ = std::vector<uint8_t>(size_t{1} << 16);
  z_stream stream_{};
  bool compressed_ = false, member_ended_ = false;
};

}  // namespace

Tensor read_idx(const fs::path& path) {
  const std::string name = path.string();
  GzipFile file(path);
  std::array<uint8_t, 4> magic;
  check(file.read(magic.data(), 4) == 4, name, ": truncated: too short for an IDX file", kRemedy);
  check(magic[0] == 0 && magic[1] == 0, name,
        ": this is not an IDX file: it begins with the bytes ", int{magic[0]}, " ", int{magic[1]},
        ", expected 0 0");
  check(magic[2] == 8, name, ": the elements have type ", int{magic[2]},
        ", expected 8 (unsigned byte)");
  const int rank = magic[3];
  check(rank >= 1 && rank <= 4, name, ": the array has ", rank, " axes, expected 1 to 4");

  std::array<uint8_t, 16> header;
  check(file.read(header.data(), 4 * rank) == 4 * rank, name,
        ": truncated: the header ends too soon", kRemedy);
  std::vector<int64_t> extents;
  int64_t size = 1;
  for (int axis = 0; axis < rank; ++axis) {
    const uint8_t* bytes = &header[4 * axis];
    extents.push_back(int64_t{bytes[0]} << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3]);
    check(!__builtin_mul_overflow(size, extents.back(), &size), name,
          ": the header asks for more elements than can be counted");
  }
  const Shape shape(extents);
  check(size <= kMaxBytes, name, ": the header asks for ", size, " bytes ", shape,
        ", the limit is ", kMaxBytes);
  const auto check_held = [&](int64_t held) {
    check(size <= held, name, ": truncated: the header asks for ", size, " bytes ", shape,
          ", the file holds ", held, kRemedy);
  };
  if (file.compressed())
    check(size <= file.stored_bytes() * kMaxDeflateRatio, name, ": truncated: the header asks for ",
          size, " bytes ", shape, ", more than ", file.stored_bytes(), " compressed ones can hold",
          kRemedy);
  else
    check_held(file.stored_bytes() - 4 - 4 * rank);

  Tensor array = Tensor::empty(shape, DType::uint8);
  check_held(file.read(array.mutable_data<uint8_t>(), size));
  uint8_t beyond;
  check(file.read(&beyond, 1) == 0, name, ": there are more than the ", size, " bytes ", shape,
        " that the header asks for; the file is damaged or not an IDX file");
  return array;
}

fs::path find_idx(const fs::path& folder, std::string_view name) {
  std::string dotted(name);
  if (const size_t dash = dotted.find("-idx"); dash != dotted.npos) dotted[dash] = '.';
  for (const std::string& stem : {std::string(name), dotted})
    for (const char* ending : {"", ".gz"}) {
      const fs::path path = folder / (stem + ending);
      std::error_code ignored;
      if (fs::is_regular_file(path, ignored)) return path;
    }
  return {};
}

}  // namespace pade::data
