#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include <pade/core/error.h>
#include <pade/core/io/input_file.h>
#include <pade/data/idx.h>

namespace pade::data {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMaxBytes = int64_t{4} << 30;
constexpr int64_t kMaxDeflateRatio = 1032;  // what zlib's format can reach
constexpr const char* kRemedy = "; an incomplete download? Delete it and get it again";

/// A file that zlib reads: decompressed when it is gzip'd, as it is otherwise.
class GzipFile {
 public:
  explicit GzipFile(const fs::path& path) : path_(path.string()) {
    check_is_regular_file(path);
    stored_bytes_ = static_cast<int64_t>(fs::file_size(path));
    errno = 0;
    file_ = gzopen(path.c_str(), "rb");
    check(file_ != nullptr, "cannot read ", path_, ": ",
          errno ? std::strerror(errno) : "out of memory");
  }
  ~GzipFile() { gzclose(file_); }
  GzipFile(const GzipFile&) = delete;
  GzipFile& operator=(const GzipFile&) = delete;

  /// Up to `bytes`; fewer only where the file ends.
  int64_t read(uint8_t* to, int64_t bytes) {
    constexpr int64_t kPiece = int64_t{1} << 30;  // gzread counts with 32 bits
    int64_t done = 0;
    while (done < bytes) {
      const int count =
          gzread(file_, to + done, static_cast<unsigned>(std::min(kPiece, bytes - done)));
      int error = Z_OK;
      const std::string message = gzerror(file_, &error);
      check(error != Z_BUF_ERROR, path_, ": truncated: the compressed data ends too soon", kRemedy);
      const bool names_path = message.starts_with(path_ + ": ");
      check(count >= 0 && error == Z_OK, path_,
            ": damaged: ", message.substr(names_path ? path_.size() + 2 : 0), kRemedy);
      if (count == 0) break;
      done += count;
    }
    return done;
  }

  int64_t stored_bytes() const { return stored_bytes_; }
  bool compressed() const { return gzdirect(file_) == 0; }

 private:
  std::string path_;
  gzFile file_ = nullptr;
  int64_t stored_bytes_ = 0;
};

}  // namespace

Tensor read_idx(const fs::path& path) {
  const std::string name = path.string();
  GzipFile file(path);
  std::array<uint8_t, 4> magic;
  check(file.read(magic.data(), 4) == 4, name, ": truncated: too short for an IDX file", kRemedy);
  check(magic[0] == 0 && magic[1] == 0, name, ": this is no IDX file: it begins with the bytes ",
        int{magic[0]}, " ", int{magic[1]}, ", expected 0 0");
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
  const Shape shape{std::span<const int64_t>(extents)};
  check(size <= kMaxBytes, name, ": the header asks for ", size, " bytes ", shape,
        ", the limit is ", kMaxBytes);
  if (file.compressed()) {
    check(size <= file.stored_bytes() * kMaxDeflateRatio, name, ": truncated: the header asks for ",
          size, " bytes ", shape, ", more than ", file.stored_bytes(), " compressed ones can hold",
          kRemedy);
  } else {
    const int64_t held = file.stored_bytes() - 4 - 4 * rank;
    check(size <= held, name, ": truncated: the header asks for ", size, " bytes ", shape,
          ", the file holds ", held, kRemedy);
  }

  Tensor array = Tensor::empty(shape, DType::uint8);
  const int64_t got = file.read(array.mutable_data<uint8_t>(), size);
  check(got == size, name, ": truncated: the header asks for ", size, " bytes ", shape,
        ", the file holds ", got, kRemedy);
  uint8_t beyond;
  check(file.read(&beyond, 1) == 0, name, ": there are more than the ", size, " bytes ", shape,
        " that the header asks for; the file is damaged or no IDX file");
  return array;
}

fs::path find_idx(const fs::path& folder, std::string_view name) {
  for (const char* ending : {"", ".gz"}) {
    const fs::path path = folder / (std::string(name) + ending);
    std::error_code ignored;
    if (fs::is_regular_file(path, ignored)) return path;
  }
  return {};
}

}  // namespace pade::data
