#include <zlib.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <utility>

#include <pade/core/error.h>
#include <pade/core/io/file.h>
#include <pade/data/mnist.h>

namespace pade::data {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kSide = 28;
constexpr int kClasses = 10;
constexpr int64_t kMaxBytes = int64_t{4} << 30;
constexpr int64_t kMaxDeflateRatio = 1032;  // what zlib's format can reach
constexpr const char* kRemedy = "; an incomplete download? Delete it and get it again";

/// A file's bytes, decompressed meanwhile when it is gzip'd.
class GzipFile {
 public:
  /// An IDX file begins with 0, one that is gzip'd with 1F 8B.
  explicit GzipFile(std::ifstream file)
      : file_(std::move(file)), compressed_(file_.peek() == 0x1F) {
    if (compressed_)
      check(inflateInit2(&stream_, MAX_WBITS + 16) == Z_OK, "not enough memory to read it");
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
      check(!member_ended_ || stream_.next_in[0] == 0x1F,
            "damaged: there is something else behind the compressed data", kRemedy);
      if (member_ended_) inflateReset(&stream_);
      stream_.next_out = to + done;
      const auto room = static_cast<uInt>(std::min(kPiece, bytes - done));
      stream_.avail_out = room;
      const int code = inflate(&stream_, Z_NO_FLUSH);
      check(code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR,
            "damaged: ", stream_.msg ? stream_.msg : "it is not gzip'd data", kRemedy);
      member_ended_ = code == Z_STREAM_END;
      done += room - stream_.avail_out;
    }
    check(done == bytes || member_ended_, "truncated: the compressed data ends too soon", kRemedy);
    return done;
  }

  bool compressed() const { return compressed_; }

 private:
  int64_t read_stored(uint8_t* to, int64_t bytes) {
    file_.read(reinterpret_cast<char*>(to), bytes);
    check(!file_.bad(), "it cannot be read to its end");
    return file_.gcount();
  }

  std::ifstream file_;
  std::array<uint8_t, size_t{1} << 16> buffer_;
  z_stream stream_{};
  bool compressed_, member_ended_ = false;
};

Tensor read_array(GzipFile file, int64_t stored_bytes) {
  std::array<uint8_t, 4> magic;
  check(file.read(magic.data(), 4) == 4, "truncated: too short for an IDX file", kRemedy);
  check(magic[0] == 0 && magic[1] == 0, "this is not an IDX file: it begins with the bytes ",
        int{magic[0]}, " ", int{magic[1]}, ", expected 0 0");
  check(magic[2] == 8, "the elements have type ", int{magic[2]}, ", expected 8 (unsigned byte)");
  const int rank = magic[3];
  check(rank >= 1 && rank <= 4, "the array has ", rank, " axes, expected 1 to 4");

  std::array<uint8_t, 16> header;
  check(file.read(header.data(), 4 * rank) == 4 * rank, "truncated: the header ends too soon",
        kRemedy);
  std::vector<int64_t> extents;
  int64_t size = 1;
  for (int axis = 0; axis < rank; ++axis) {
    const uint8_t* bytes = &header[4 * axis];
    extents.push_back(int64_t{bytes[0]} << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3]);
    check(!__builtin_mul_overflow(size, extents.back(), &size),
          "the header asks for more elements than can be counted");
  }
  const Shape shape(extents);
  check(size <= kMaxBytes, "the header asks for ", size, " bytes ", shape, ", the limit is ",
        kMaxBytes);
  const auto check_held = [&](int64_t held) {
    check(size <= held, "truncated: the header asks for ", size, " bytes ", shape,
          ", the file holds ", held, kRemedy);
  };
  if (!file.compressed()) check_held(stored_bytes - 4 - 4 * rank);
  check(size <= stored_bytes * kMaxDeflateRatio, "truncated: the header asks for ", size, " bytes ",
        shape, ", more than ", stored_bytes, " compressed ones can hold", kRemedy);

  Tensor array = Tensor::empty(shape, DType::uint8);
  check_held(file.read(array.mutable_data<uint8_t>(), size));
  uint8_t beyond;
  check(file.read(&beyond, 1) == 0, "there are more than the ", size, " bytes ", shape,
        " that the header asks for; the file is damaged or not an IDX file");
  return array;
}

StoredDataset read_set(const char* name, double mean, double std, std::vector<std::string> classes,
                       const fs::path& folder, Split split) {
  const auto read_part = [&](const std::string& part, auto check_array) {
    const std::string name = (split == Split::train ? "train-" : "t10k-") + part;
    const fs::path path = find_idx(folder, name);
    check(!path.empty(), folder.string(), " has neither ", name, " nor ", name,
          ".gz, nor the same with a dot in front of idx; give the folder that holds them");
    Tensor array = read_idx(path);
    with_path_in_errors(path, [&] { check_array(array); });
    return array;
  };
  const Tensor images = read_part("images-idx3-ubyte", [](const Tensor& array) {
    check(array.rank() != 1, "expected images, got ", array.size(),
          " labels; were the files swapped?");
    check(array.rank() == 3 && array.extent(1) == kSide && array.extent(2) == kSide,
          "expected images [N, ", kSide, ", ", kSide, "], got ", array.shape());
    check(array.size() > 0, "there are no images in it; give a folder with some");
  });
  std::vector<StoredDataset::Sample> samples;
  read_part("labels-idx1-ubyte", [&](const Tensor& array) {
    check(array.rank() != 3, "expected labels, got ", array.extent(0),
          " images; were the files swapped?");
    check(array.rank() == 1, "expected labels [N], got ", array.shape());
    samples.reserve(static_cast<size_t>(array.size()));
    for (const uint8_t label : array.to_vector<uint8_t>()) {
      check(label < kClasses, "label ", samples.size(), " is ", int{label}, ", expected 0 to ",
            kClasses - 1, "; the file is damaged");
      samples.emplace_back(samples.size(), label);
    }
  });
  check(images.extent(0) == std::ssize(samples), folder.string(), ": there are ", images.extent(0),
        " ", name_of(split), " images and ", samples.size(),
        " labels; the files do not belong together");
  DatasetInfo info{name, {1, kSide, kSide}, kClasses, {mean}, {std}, std::move(classes)};
  return {std::move(info), images, std::move(samples)};
}

}  // namespace

Tensor read_idx(const fs::path& path) {
  std::ifstream file = open_input(path);
  return with_path_in_errors(path, [&] {
    return read_array(GzipFile(std::move(file)), static_cast<int64_t>(fs::file_size(path)));
  });
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

Mnist::Mnist(const fs::path& folder, Split split)
    : StoredDataset(read_set("mnist", 0.1307, 0.3081, {}, folder, split)) {}

FashionMnist::FashionMnist(const fs::path& folder, Split split)
    : StoredDataset(read_set("fashion-mnist", 0.2860, 0.3530,
                             {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal",
                              "Shirt", "Sneaker", "Bag", "Ankle boot"},
                             folder, split)) {}

}  // namespace pade::data
