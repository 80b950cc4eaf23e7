#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>

#include <pade/core/error.h>
#include <pade/core/io/safetensors.h>
#include <pade/core/random.h>
#include <tests/temporary_folder.h>

using namespace pade;
using pade::testing::contents_of;
using pade::testing::TemporaryFolder;

namespace {

std::string length_bytes(uint64_t length) {
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes;
}

/// A file with this header, and `data_bytes` bytes after it.
std::string file_with(const std::string& header, size_t data_bytes) {
  return length_bytes(header.size()) + header + std::string(data_bytes, '\1');
}

/// A header with one tensor "w".
std::string entry(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return "{\"w\":{\"dtype\":" + dtype + ",\"shape\":" + shape + ",\"data_offsets\":" + offsets +
         "}}";
}

NamedTensors sample() {
  Rng rng(1);
  return {{"bytes", Tensor::from<uint8_t>({0, 1, 255}, {3})},
          {"features.0.weight", rng.normal({6, 1, 5, 5}, 0, 1)},
          {"labels", rng.integers({7}, -100, 100)},
          {"scalar", Tensor::scalar(-0.1, DType::float64)},
          {"none", Tensor::empty({3, 0, 2})},
          {"a \"quoted\" näme\n", rng.normal({2, 3}, 0, 1, DType::float64)}};
}

std::string bytes_of(const Tensor& tensor) {
  std::string bytes(tensor.bytes(), '\0');
  dispatch(tensor.dtype(), [&](auto zero) {
    std::memcpy(bytes.data(), tensor.data<decltype(zero)>(), bytes.size());
  });
  return bytes;
}

}  // namespace

TEST_CASE("safetensors come back as they were written") {
  const TemporaryFolder folder;
  const NamedTensors written = sample();
  const std::map<std::string, std::string> metadata{{"epoch", "12"}, {"b", "\"\n\t"}, {"", ""}};
  write_safetensors(folder / "a", written, metadata);
  const SafetensorsFile read = read_safetensors(folder / "a");
  CHECK(read.path == (folder / "a").string());
  CHECK(read.metadata == metadata);
  REQUIRE(read.tensors.size() == written.size());
  for (const auto& [name, tensor] : written) {
    CAPTURE(name);
    CHECK(read.at(name).shape() == tensor.shape());
    REQUIRE(read.at(name).dtype() == tensor.dtype());
    CHECK(bytes_of(read.at(name)) == bytes_of(tensor));
  }
  // Wide dtypes first, and the order kept among equals.
  std::vector<std::string> names;
  for (const auto& [name, tensor] : read.tensors) names.push_back(name);
  CHECK(names == std::vector<std::string>{"scalar", "a \"quoted\" näme\n", "features.0.weight",
                                          "labels", "none", "bytes"});

  write_safetensors(folder / "b", sample(), metadata);
  CHECK(contents_of(folder / "a") == contents_of(folder / "b"));
  CHECK(folder.names() == std::vector<std::string>{"a", "b"});
}

TEST_CASE("safetensors have the bytes that the format prescribes") {
  const TemporaryFolder folder;
  write_safetensors(folder / "f",
                    {{"w", Tensor::from<float>({1, -2}, {1, 2})},
                     {"n", Tensor::from<int32_t>({258}, {})},
                     {"d", Tensor::from<double>({1}, {1})}},
                    {{"format", "pt"}});
  const std::string header =
      "{\"__metadata__\":{\"format\":\"pt\"},"
      "\"d\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,8]},"
      "\"w\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[8,16]},"
      "\"n\":{\"dtype\":\"I32\",\"shape\":[],\"data_offsets\":[16,20]}}";
  const std::string padding((8 - header.size() % 8) % 8, ' ');
  const std::string data(
      "\0\0\0\0\0\0\xf0\x3f"
      "\0\0\x80\x3f"
      "\0\0\0\xc0"
      "\2\1\0\0",
      20);
  CHECK(contents_of(folder / "f") ==
        length_bytes(header.size() + padding.size()) + header + padding + data);

  write_safetensors(folder / "empty", {});
  CHECK(contents_of(folder / "empty") == length_bytes(8) + "{}      ");
  CHECK(read_safetensors(folder / "empty").tensors.empty());
}

TEST_CASE("safetensors written by others can be read") {
  const SafetensorsFile torch = read_safetensors(PADE_FIXTURES "/lenet.safetensors");
  CHECK(torch.metadata.contains("torch"));
  CHECK(torch.at("conv1.weight").shape() == Shape{6, 1, 5, 5});

  const TemporaryFolder folder;
  // Names in another order than the data, fields in another order, white space, no padding.
  const std::string header =
      "{ \"b\": {\"data_offsets\": [2, 3], \"shape\": [1], \"dtype\": \"U8\"},\n"
      "  \"none\": {\"dtype\": \"F32\", \"shape\": [0], \"data_offsets\": [2, 2]},\n"
      "  \"a\": {\"dtype\": \"U8\", \"shape\": [2], \"data_offsets\": [0, 2]} }";
  const SafetensorsFile file =
      read_safetensors(folder.write("f", length_bytes(header.size()) + header + "xyz"));
  REQUIRE(file.tensors.size() == 3);
  CHECK(file.tensors[0].first == "a");
  CHECK(file.tensors[1].first == "none");
  CHECK(file.at("a").to_vector<uint8_t>() == std::vector<uint8_t>{'x', 'y'});
  CHECK(file.at("b").to_vector<uint8_t>() == std::vector<uint8_t>{'z'});
  CHECK(file.find("c") == nullptr);
  CHECK_THROWS_WITH_AS(
      (void)file.at("nome"),
      (file.path + ": there is no tensor \"nome\"; did you mean \"none\"?").c_str(), Error);
}

TEST_CASE("dtypes that Padé does not have are read as wider ones") {
  const TemporaryFolder folder;
  const auto read = [&]<class T>(const std::string& dtype, const std::vector<T>& elements) {
    const std::string count = std::to_string(elements.size()),
                      bytes = std::to_string(elements.size() * sizeof(T)),
                      header = entry('"' + dtype + '"', '[' + count + ']', "[0," + bytes + ']');
    std::string file = length_bytes(header.size()) + header;
    file.append(reinterpret_cast<const char*>(elements.data()), elements.size() * sizeof(T));
    return read_safetensors(folder.write("f", file)).at("w");
  };
  using Bits = std::vector<uint16_t>;
  const float infinity = std::numeric_limits<float>::infinity();
  // 1, −2, the largest, the smallest normal and subnormal numbers, −0, infinity, 1 + 2⁻¹⁰
  const Tensor half =
      read("F16", Bits{0x3C00, 0xC000, 0x7BFF, 0x0400, 0x0001, 0x8000, 0x7C00, 0x3C01});
  CHECK(half.to_vector<float>() ==
        std::vector<float>{1, -2, 65504, 0x1p-14f, 0x1p-24f, -0.0f, infinity, 1 + 0x1p-10f});
  CHECK(std::signbit(half.to_vector<float>()[5]));
  CHECK(std::isnan(read("F16", Bits{0x7E00}).item()));
  CHECK(read("BF16", Bits{0x3F80, 0xC000, 0x0001, 0xFF80}).to_vector<float>() ==
        std::vector<float>{1, -2, 0x1p-133f, -infinity});
  CHECK(read("BOOL", std::vector<uint8_t>{0, 1}).to_vector<uint8_t>() ==
        std::vector<uint8_t>{0, 1});
  CHECK(read("I8", std::vector<int8_t>{-128, 127}).to_vector<int32_t>() ==
        std::vector<int32_t>{-128, 127});
  CHECK(read("I16", std::vector<int16_t>{-32768}).item() == -32768);
  CHECK(read("U16", std::vector<uint16_t>{65535}).item() == 65535);
  CHECK(read("U32", std::vector<uint32_t>{INT32_MAX}).item() == INT32_MAX);
  CHECK(read("U64", std::vector<uint64_t>{7}).item() == 7);
  CHECK(read("I64", std::vector<int64_t>{INT32_MIN}).item() == INT32_MIN);
  const auto refused = [&](const auto& elements, const char* dtype, const char* message) {
    CHECK_THROWS_WITH_AS(read(dtype, elements), doctest::Contains(message), Error);
  };
  refused(std::vector<int64_t>{1, int64_t{1} << 31}, "I64",
          "\"w\": has the element 2147483648, which int32 cannot hold");
  refused(std::vector<uint64_t>{UINT64_MAX}, "U64", "18446744073709551615, which int32 cannot");
  refused(std::vector<uint32_t>{1u << 31}, "U32", "2147483648, which int32 cannot hold");
}

TEST_CASE("what the format may have got since is passed over") {
  const TemporaryFolder folder;
  const std::string good = entry("\"F32\"", "[1]", "[0,4]");
  for (const std::string extra : {"1", "null", "\"text\"", "[1,2,3,4,5,6,7,8,9,10]", "[[1],[2]]",
                                  "{\"dtype\":\"U8\"}", "{\"a\":{\"shape\":[1]},\"b\":[{}]}"}) {
    CAPTURE(extra);
    for (const std::string& header :
         {good.substr(0, good.size() - 2) + ",\"x\":" + extra + "}}",
          "{\"w\":{\"x\":" + extra + ',' + good.substr(good.find("\"dtype\""))}) {
      const SafetensorsFile file = read_safetensors(folder.write("f", file_with(header, 4)));
      CHECK(file.at("w").shape() == Shape{1});
      CHECK(file.tensors.size() == 1);
    }
  }
  const std::string null = "{\"__metadata__\":null," + good.substr(1);
  CHECK(read_safetensors(folder.write("f", file_with(null, 4))).metadata.empty());
}

TEST_CASE("a file of torch.save() is told apart, with what converts it") {
  const TemporaryFolder folder;
  for (const std::string beginning : {"PK\3\4", "\x80\2\x8A\n"})
    CHECK_THROWS_WITH_AS((void)read_safetensors(folder.write("f", beginning + "0123456789")),
                         doctest::Contains("safetensors.torch.save_file(torch.load(\"FILE\""),
                         Error);
}

TEST_CASE("safetensors that are wrong in any way are refused") {
  const std::string good = entry("\"F32\"", "[2]", "[0,8]");
  const std::string two = good.substr(0, good.size() - 1) + ",";
  const struct {
    std::string bytes;
    const char* message;
  } cases[] = {
      {"", "truncated: the file ends too soon"},
      {"1234567", "truncated: the file ends too soon; an incomplete download? Get it again"},
      {length_bytes(2), "truncated: the header's length is 2 bytes, the file has 0 after it"},
      {length_bytes(3) + "{}", "truncated: the header's length is 3 bytes, the file has 2"},
      {length_bytes(UINT64_MAX) + "{}", "the header's length is 18446744073709551615 bytes"},
      {length_bytes(100'000'001) + "{}", "the limit is 100000000; is this a safetensors file?"},
      {file_with("", 0), "the header is not a JSON object"},
      {file_with("[]", 0), "the header is not a JSON object"},
      {file_with(" {}", 0), "the header is not a JSON object"},
      {file_with("{", 0), "the header is not valid JSON"},
      {file_with("{}x", 0), "the header is not valid JSON"},
      {file_with("{}{}", 0), "the header is not valid JSON"},
      {file_with("{\"a\xff\":{}}", 0), "the header is not valid JSON"},
      {file_with(std::string("{}\0[", 4), 0), "the header is not valid JSON: it has a zero byte"},
      {file_with("{\"w\":1}", 0), "\"w\" is not an object"},
      {file_with("{\"w\":null}", 0), "\"w\" is not an object"},
      {file_with("{\"w\":[]}", 0), "the header has a list where an object belongs"},
      {file_with("{\"w\":{}}", 0), "tensor \"w\" has no dtype"},
      {file_with("{\"w\":{\"dtype\":\"F32\"}}", 0), "tensor \"w\" has no shape"},
      {file_with("{\"w\":{\"dtype\":\"F32\",\"shape\":[]}}", 0),
       "tensor \"w\" has no data_offsets"},
      {file_with(entry("{}", "[2]", "[0,8]"), 8), "\"w\" has an object among its fields"},
      {file_with(entry("\"F8_E4M3\"", "[2]", "[0,2]"), 2), "tensor \"w\" has dtype \"F8_E4M3\""},
      {file_with(entry("\"C64\"", "[2]", "[0,16]"), 16), "floats of 16 to 64 bits, integers and"},
      {file_with(entry("\"f32\"", "[2]", "[0,8]"), 8), "tensor \"w\" has dtype \"f32\""},
      {file_with(entry("5", "[2]", "[0,8]"), 8), "tensor \"w\" has dtype 5"},
      {file_with(entry("\"F32\"", "2", "[0,8]"), 8), "tensor \"w\": shape is not a list"},
      {file_with(entry("\"F32\"", "[[2]]", "[0,8]"), 8), "the header has a list where an object"},
      {file_with(entry("\"F32\"", "[-2]", "[0,8]"), 8), "tensor \"w\": shape has -2, expected"},
      {file_with(entry("\"F32\"", "[2.0]", "[0,8]"), 8), "tensor \"w\": shape has 2.0, expected"},
      {file_with(entry("\"F32\"", "[2e0]", "[0,8]"), 8), "tensor \"w\": shape has 2.0, expected"},
      {file_with(entry("\"F32\"", "[true]", "[0,8]"), 8), "tensor \"w\": shape has true, expected"},
      {file_with(entry("\"F32\"", "[\"2\"]", "[0,8]"), 8), "tensor \"w\": shape has \"2\""},
      {file_with(entry("\"F32\"", "[18446744073709551618]", "[0,8]"), 8), "shape has 1.8"},
      {file_with(entry("\"F32\"", "[9223372036854775808]", "[0,8]"), 8), "shape has 92233720"},
      {file_with(entry("\"F32\"", "[1,1,1,1,1,1,1,1,2]", "[0,8]"), 8),
       "\"w\" has a list of more than 8 numbers"},
      {file_with(entry("\"F32\"", "[4294967296,4294967296]", "[0,8]"), 8),
       "tensor \"w\" has more elements than can be counted"},
      {file_with(entry("\"F32\"", "[4611686018427387906]", "[0,8]"), 8),
       "shape [4611686018427387906] of F32 does not fit the 8 bytes of its data_offsets"},
      {file_with(entry("\"F32\"", "[3]", "[0,8]"), 8), "shape [3] of F32 does not fit the 8"},
      {file_with(entry("\"F32\"", "[2]", "[8]"), 8), "data_offsets is [8], expected [begin, end]"},
      {file_with(entry("\"F32\"", "[2]", "[0,8,8]"), 8), "data_offsets is [0,8,8], expected"},
      {file_with(entry("\"F32\"", "[2]", "[8,0]"), 8), "data_offsets is [8,0], expected"},
      {file_with(entry("\"F32\"", "[2]", "[-8,0]"), 8), "data_offsets has -8, expected"},
      {file_with(entry("\"F32\"", "[2]", "8"), 8), "data_offsets is not a list"},
      {file_with(good, 0), "truncated: the header describes 8 bytes of data, the file has 0"},
      {file_with(good, 7), "truncated: the header describes 8 bytes of data, the file has 7"},
      {file_with(good, 9), "1 bytes follow after the last tensor"},
      {file_with(entry("\"F32\"", "[2]", "[4,12]"), 12),
       "tensor \"w\" begins at byte 4 of the data, expected 0: the tensors leave a gap"},
      {file_with(two + "\"v\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[4,8]}}", 8),
       "tensor \"v\" begins at byte 4 of the data, expected 8: the tensors overlap"},
      {file_with(two + "\"v\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[9,10]}}", 10),
       "tensor \"v\" begins at byte 9 of the data, expected 8: the tensors leave a gap"},
      {file_with(two + "\"v\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[3,3]}}", 8),
       "the tensors overlap"},
      {file_with(two + good.substr(1), 16), "the name \"w\" occurs twice in the header"},
      {file_with("{\"w\":{\"dtype\":\"U8\",\"shape\":[1],\"shape\":[1],\"data_offsets\":[0,1]}}",
                 1),
       "the name \"shape\" occurs twice in the header"},
      {file_with("{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}", 0), "the name \"a\" occurs twice"},
      {file_with("{\"__metadata__\":{\"a\":1}}", 0), "__metadata__: \"a\" is not a string"},
      {file_with("{\"__metadata__\":{\"a\":[\"1\"]}}", 0), "__metadata__: \"a\" is not a string"},
      {file_with("{\"__metadata__\":{\"a\":{}}}", 0), "has an object among its fields"},
      {file_with("{\"__metadata__\":\"a\"}", 0), "\"__metadata__\" is not an object"},
      {file_with("{\"w\":" + std::string(1000, '[') + std::string(1000, ']') + "}", 0),
       "the header has a list where an object belongs"},
  };
  const TemporaryFolder folder;
  for (const auto& c : cases) {
    CAPTURE(c.bytes);
    const auto path = folder.write("f", c.bytes);
    CHECK_THROWS_WITH_AS((void)read_safetensors(path), doctest::Contains(c.message), Error);
    CHECK_THROWS_WITH_AS((void)read_safetensors(path), doctest::Contains(path.c_str()), Error);
  }
  CHECK_THROWS_WITH_AS(
      (void)read_safetensors(folder / "absent"),
      ("cannot read " + (folder / "absent").string() + ": No such file or directory").c_str(),
      Error);
  CHECK_THROWS_WITH_AS((void)read_safetensors(folder.path()), doctest::Contains("cannot read"),
                       Error);
}

TEST_CASE("a safetensors file cut anywhere, or with any header byte changed, is no surprise") {
  const TemporaryFolder folder;
  write_safetensors(folder / "good", sample(), {{"epoch", "3"}});
  const std::string good = contents_of(folder / "good");
  for (size_t length = 0; length < good.size(); length += length < 700 ? 1 : 13)
    CHECK_THROWS_AS((void)read_safetensors(folder.write("cut", good.substr(0, length))), Error);

  Rng rng(2);
  int refused = 0;
  for (int trial = 0; trial < 500; ++trial) {
    std::string changed = good;
    changed[rng.below(600)] = static_cast<char>(rng.bits());
    try {
      (void)read_safetensors(folder.write("changed", changed));
    } catch (const Error&) {
      ++refused;
    }
  }
  CHECK(refused > 250);  // the others changed a name or the metadata
}

TEST_CASE("write_safetensors refuses what the format cannot hold") {
  const TemporaryFolder folder;
  const Tensor one = Tensor::ones({1});
  CHECK_THROWS_WITH_AS(write_safetensors(folder / "f", {{"a", one}, {"b", one}, {"a", one}}),
                       "write_safetensors: the name \"a\" occurs twice or is reserved", Error);
  CHECK_THROWS_AS(write_safetensors(folder / "f", {{"__metadata__", one}}), Error);
  CHECK_THROWS_WITH_AS(write_safetensors(folder / "f", {{"a", Tensor()}}),
                       "write_safetensors: \"a\" is an undefined tensor", Error);
  CHECK_THROWS_WITH_AS(write_safetensors(folder / "f", {{"\xff", one}}),
                       "write_safetensors: a name or metadata string is not UTF-8", Error);
  CHECK(folder.names().empty());
}
