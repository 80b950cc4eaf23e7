#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <vector>

#include <pade/core/error.h>
#include <pade/core/io/npy.h>

#include "tests/temporary_folder.h"

using namespace pade;
using pade::testing::contents_of;
using pade::testing::TemporaryFolder;

namespace {

/// What NumPy wrote: tests/fixtures/make_numpy.py.
std::string fixture(const std::string& name) { return PADE_FIXTURES "/numpy/" + name; }

/// The same arrays.
NamedTensors arrays() {
  const float infinity = std::numeric_limits<float>::infinity();
  return {{"float32", Tensor::from<float>({1, -2.5, 3e-40f, infinity, 0, 7}, {2, 3})},
          {"float64", Tensor::from<double>({0.1, -1e300}, {2})},
          {"int32", Tensor::from<int32_t>({-5}, {})},
          {"uint8", Tensor::from<uint8_t>({0, 1, 2, 3, 4, 5}, {1, 2, 3})},
          {"empty", Tensor::zeros({0, 3})}};
}

void check_same(const Tensor& a, const Tensor& b) {
  CHECK(a.shape() == b.shape());
  REQUIRE(a.dtype() == b.dtype());
  dispatch(a.dtype(), [&](auto zero) {
    using T = decltype(zero);
    CHECK(a.to_vector<T>() == b.to_vector<T>());
  });
}

}  // namespace

TEST_CASE("arrays of NumPy come in and go out, byte for byte as it writes them") {
  const TemporaryFolder folder;
  for (const auto& [name, array] : arrays()) {
    CAPTURE(name);
    check_same(read_npy(fixture(name + ".npy")), array);
    write_npy(folder / "array.npy", array);
    CHECK(contents_of(folder / "array.npy") == contents_of(fixture(name + ".npy")));
  }
}

TEST_CASE("arrays that Padé does not have are widened or transposed") {
  check_same(read_npy(fixture("float16.npy")), Tensor::from<float>({1.5, -65504}, {2}));
  check_same(read_npy(fixture("int64.npy")), Tensor::from<int32_t>({0, 1, 2, 3}, {2, 2}));
  check_same(read_npy(fixture("bool.npy")), Tensor::from<uint8_t>({1, 0}, {2}));
  check_same(read_npy(fixture("fortran.npy")), Tensor::from<float>({0, 1, 2, 3, 4, 5}, {2, 3}));
}

TEST_CASE("archives of arrays come in, compressed or not, and go out") {
  const TemporaryFolder folder;
  write_npz(folder / "ours.npz", arrays());
  for (const std::string& path :
       {fixture("stored.npz"), fixture("deflated.npz"), (folder / "ours.npz").string()}) {
    CAPTURE(path);
    const NamedTensors read = read_npz(path), expected = arrays();
    REQUIRE(read.size() == expected.size());
    for (size_t i = 0; i < read.size(); ++i) {
      CHECK(read[i].first == expected[i].first);
      check_same(read[i].second, expected[i].second);
    }
  }
  CHECK_THROWS_WITH_AS(write_npz(folder / "twice.npz", {arrays()[0], arrays()[0]}),
                       doctest::Contains("\"float32.npy\" occurs twice"), Error);
}

TEST_CASE("arrays of other kinds are refused with what makes them readable") {
  for (const char* name : {"big_endian", "complex", "text", "structure"}) {
    CAPTURE(std::string(name));
    CHECK_THROWS_WITH_AS(read_npy(fixture(std::string(name) + ".npy")),
                         doctest::Contains("a.astype('<f4') makes such an array"), Error);
  }
  CHECK_THROWS_WITH_AS(read_npy(fixture("stored.npz")),
                       doctest::Contains("this is not an array of NumPy"), Error);
  CHECK_THROWS_WITH_AS(read_npz(fixture("int32.npy")),
                       doctest::Contains("this is not a zip archive"), Error);
}

TEST_CASE(
    "damaged and truncated arrays and archives are refused, and read nothing beyond their end") {
  const TemporaryFolder folder;
  int refused = 0;
  for (const char* name : {"float32.npy", "stored.npz", "deflated.npz"}) {
    const std::string whole = contents_of(fixture(name));
    const auto is_read = [&](const std::string& bytes) {
      const auto path = folder.write("f", bytes);
      try {
        if (std::string(name).ends_with(".npy"))
          (void)read_npy(path);
        else
          (void)read_npz(path);
        return true;
      } catch (const Error&) {
        ++refused;
        return false;
      }
    };
    CHECK(is_read(whole));
    for (size_t size = 0; size < whole.size(); ++size) CHECK_FALSE(is_read(whole.substr(0, size)));
    for (size_t at = 0; at < whole.size(); ++at)
      for (const char byte : {'\0', '\xFF', '9'}) {
        std::string changed = whole;
        changed[at] = byte;
        is_read(changed);
      }
  }
  CHECK(refused > 1000);
}
