#include <algorithm>

#include <doctest/doctest.h>

#include <pade/core/error.h>
#include <pade/core/random.h>
#include <pade/core/storage.h>
#include <pade/data/mnist.h>
#include <tests/data/idx_files.h>
#include <tests/temporary_folder.h>

using namespace pade;
using pade::data::read_idx;
using pade::testing::gzip_bytes;
using pade::testing::idx_bytes;
using pade::testing::TemporaryFolder;

TEST_CASE("read_idx reads plain and gzip'd files alike") {
  const TemporaryFolder folder;
  Rng rng(1);
  std::string elements(3 * 5 * 7, '\0');
  for (char& element : elements) element = static_cast<char>(rng.bits());
  const struct {
    Shape shape;
    std::vector<uint32_t> extents;
  } cases[] = {{{105}, {105}}, {{3, 5, 7}, {3, 5, 7}}, {{5, 3, 7, 1}, {5, 3, 7, 1}}};
  for (const auto& c : cases) {
    const std::string bytes = idx_bytes(c.extents, elements);
    for (const std::string& stored : {bytes, gzip_bytes(bytes)}) {
      const Tensor array = read_idx(folder.write("f", stored));
      CHECK(array.shape() == c.shape);
      const std::vector<uint8_t> values = array.to_vector<uint8_t>();
      CHECK(std::string(values.begin(), values.end()) == elements);
    }
  }
  // A gzip file may consist of several parts, empty ones too.
  const std::string bytes = idx_bytes({105}, elements);
  const std::string parts = gzip_bytes(bytes.substr(0, 50)) + gzip_bytes("") +
                            gzip_bytes(bytes.substr(50)) + gzip_bytes("");
  const std::vector<uint8_t> values = read_idx(folder.write("f", parts)).to_vector<uint8_t>();
  CHECK(std::string(values.begin(), values.end()) == elements);
  CHECK(read_idx(folder.write("none", idx_bytes({0, 28, 28}, ""))).shape() == Shape{0, 28, 28});
}

TEST_CASE("read_idx refuses files that are wrong in any way") {
  const std::string good = idx_bytes({2, 3}, "abcdef");
  const std::string packed = gzip_bytes(good);
  std::string wrong_sum = packed;
  wrong_sum[packed.size() - 8] ^= 1;
  std::string wrong_type = good;
  wrong_type[2] = 0x0D;
  const struct {
    std::string bytes;
    const char* message;
  } cases[] = {
      {"", "truncated: too short for an IDX file; an incomplete download? Delete it"},
      {good.substr(0, 3), "truncated: too short for an IDX file"},
      {"PK\3\4 and so on", "this is not an IDX file: it begins with the bytes 80 75, expected 0 0"},
      {gzip_bytes("PK\3\4"), "this is not an IDX file"},
      {wrong_type, "the elements have type 13, expected 8 (unsigned byte)"},
      {idx_bytes({}, "x"), "the array has 0 axes, expected 1 to 4"},
      {idx_bytes({1, 1, 1, 1, 1}, "x"), "the array has 5 axes, expected 1 to 4"},
      {good.substr(0, 11), "truncated: the header ends too soon"},
      {good.substr(0, 13), "truncated: the header asks for 6 bytes [2, 3], the file holds 1"},
      {good + "x", "there are more than the 6 bytes [2, 3] that the header asks for"},
      {gzip_bytes(good + "x"), "there are more than the 6 bytes [2, 3]"},
      {gzip_bytes(good.substr(0, 17)), "truncated: the header asks for 6 bytes [2, 3], the file"},
      {idx_bytes({0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF}, "x"), "more elements than can be counted"},
      {idx_bytes({0xFFFFFFFF, 2}, "x"), "asks for 8589934590 bytes [4294967295, 2], the limit is"},
      {idx_bytes({60000, 28, 28}, "x"), "truncated: the header asks for 47040000 bytes"},
      {gzip_bytes(idx_bytes({60000, 28, 28}, "x")), "compressed ones can hold"},
      {packed.substr(0, 2), "truncated"},
      {packed.substr(0, packed.size() / 2), "truncated: the compressed data ends too soon"},
      {packed.substr(0, packed.size() - 1), "truncated: the compressed data ends too soon"},
      {packed + "x", "damaged: there is something else behind the compressed data; an incomplete"},
      {packed + packed.substr(0, 9), "truncated: the compressed data ends too soon"},
      {packed + "\x1F\x8C", "damaged: incorrect header check"},
      {packed + std::string(512, '\0'), "damaged: there is something else behind the compressed"},
      {packed + packed, "there are more than the 6 bytes [2, 3]"},
      {wrong_sum, "damaged: incorrect data check; an incomplete download? Delete it and get it"},
  };
  const TemporaryFolder folder;
  for (const auto& c : cases) {
    CAPTURE(c.bytes);
    const auto path = folder.write("f", c.bytes);
    const size_t before = allocator_stats().peak_bytes_in_use;
    CHECK_THROWS_WITH_AS((void)read_idx(path), doctest::Contains(c.message), Error);
    CHECK_THROWS_WITH_AS((void)read_idx(path), doctest::Contains((path.string() + ": ").c_str()),
                         Error);
    CHECK(allocator_stats().peak_bytes_in_use <= std::max(before, size_t{1} << 20));
  }
  CHECK_THROWS_WITH_AS((void)read_idx(folder / "absent"), doctest::Contains("cannot read"), Error);
  CHECK_THROWS_WITH_AS((void)read_idx(folder.path()), doctest::Contains("cannot read"), Error);
}

TEST_CASE("find_idx prefers the plain file, and takes a dot for the dash") {
  const TemporaryFolder folder;
  const auto found = [&] { return data::find_idx(folder.path(), "labels-idx1-ubyte"); };
  CHECK(found().empty());
  for (const std::string name :
       {"labels.idx1-ubyte.gz", "labels.idx1-ubyte", "labels-idx1-ubyte.gz", "labels-idx1-ubyte"}) {
    folder.write(name, "");
    CHECK(found() == folder / name);
  }
}
