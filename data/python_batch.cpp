#include <algorithm>
#include <filesystem>
#include <map>
#include <span>
#include <string_view>

#include <pade/core/error.h>
#include <pade/core/io/file.h>
#include <pade/data/cifar.h>

namespace pade::data {
namespace {

constexpr uint64_t kMaxFileBytes = uint64_t{256} << 20;
constexpr size_t kMaxOpcodes = size_t{1} << 20;  // CIFAR-100 takes a quarter of that

/// A number or a text; a text has a number that is valid nowhere, and so has None.
struct Leaf {
  int64_t number = -1;
  std::string_view text{};

  bool is_text() const { return text.data() != nullptr; }
};

/// The numbers and texts of a pickle, in their order. Pickles are programs for a machine, and
/// https://github.com/python/cpython/blob/main/Lib/pickletools.py says what each opcode does. Here
/// those that put leaves together, to lists or dictionaries, do nothing: how that is done in
/// CIFAR's files is known. Those that could do more are refused.
std::vector<Leaf> leaves_of(std::string_view bytes) {
  const auto take = [&](uint64_t count) {
    check(count <= bytes.size(), "it is truncated");
    const std::string_view taken = bytes.substr(0, count);
    bytes.remove_prefix(count);
    return taken;
  };
  const auto take_line = [&] {
    const std::string_view line = take(std::min(bytes.find('\n'), bytes.size()));
    take(1);
    return line;
  };
  std::vector<Leaf> leaves;
  std::map<uint64_t, Leaf> memo;
  bool is_leaf = false;  // what the last opcode made
  for (size_t count = 0; count < kMaxOpcodes; ++count) {
    const char opcode = take(1)[0];
    const auto is_one_of = [&](std::string_view these) { return these.find(opcode) != these.npos; };
    const std::string_view number = take(is_one_of("KUCqh\x80") ? 1
                                         : is_one_of("M")       ? 2
                                         : is_one_of("JTXBrj")  ? 4
                                                                : 0);
    uint64_t argument = 0;
    for (size_t i = number.size(); i-- > 0;)
      argument = argument << 8 | static_cast<uint8_t>(number[i]);
    const size_t before = leaves.size();
    if (opcode == '.') {
      return leaves;
    } else if (is_one_of("KM\x88\x89")) {
      leaves.push_back({opcode == '\x88' ? 1 : static_cast<int64_t>(argument)});
    } else if (is_one_of("J")) {
      leaves.push_back({static_cast<int32_t>(argument)});
    } else if (is_one_of("N")) {
      leaves.push_back({});
    } else if (is_one_of("UCTXB")) {
      leaves.push_back({-1, take(argument)});
    } else if (is_one_of("c")) {  // nothing of that name is looked for, let alone called
      const std::string_view module = take_line(), own = take_line();
      check(module == "numpy" || module.starts_with("numpy.core.multiarray") ||
                module.starts_with("numpy._core.multiarray"),
            "it asks for ", module, ".", own, ", which is not part of an array, and is not run");
      leaves.push_back({-1, own});
    } else if (is_one_of("qr")) {
      if (is_leaf) memo[argument] = leaves.back();
    } else if (is_one_of("hj")) {
      check(memo.contains(argument), "it is damaged");
      leaves.push_back(memo[argument]);
    } else {
      check(opcode != '\x80' || argument <= 3, "its protocol is newer than 3");
      check(
          is_one_of("\x80])}(t\x85\x86\x87Rabseu"),
          "it holds something else than numbers, strings, lists, dictionaries and arrays (opcode ",
          int{static_cast<uint8_t>(opcode)}, ")");
    }
    is_leaf = leaves.size() > before;
  }
  fail("it consists of more parts than CIFAR's");
}

/// What follows the key in the dictionary.
std::span<const Leaf> entry(const std::vector<Leaf>& leaves, std::string_view key) {
  const auto found = std::ranges::find(leaves, key, &Leaf::text);
  check(found != leaves.end(), "there is no \"", key, "\" in it");
  return {found + 1, leaves.end()};
}

std::string records_of(const std::vector<Leaf>& leaves, const std::vector<std::string>& label_keys,
                       size_t pixels) {
  // NumPy: _reconstruct ndarray (0,) "b", then the state 1 (N, pixels), its type and what belongs
  // to that (dtype "u1" 0 1, 3 "|" None None None -1 -1 0), by columns?, bytes.
  const std::span<const Leaf> array = entry(leaves, "data");
  check(array.size() > 20 && array[7].text == "dtype" && array[20].is_text(),
        "its pixels are not an array [N, ", pixels, "] of NumPy");
  check(array[8].text == "u1", "its pixels have the type \"", array[8].text,
        "\", expected \"u1\" (uint8)");
  const auto count = static_cast<uint64_t>(array[5].number);
  const bool by_columns = array[19].number > 0;
  const std::string_view bytes = array[20].text;
  check(static_cast<uint64_t>(array[6].number) == pixels && bytes.size() % pixels == 0 &&
            count == bytes.size() / pixels,
        "its pixels are ", bytes.size(), " bytes, expected an array [N, ", pixels, "]");

  std::vector<std::span<const Leaf>> labels;
  for (const std::string& key : label_keys) {
    const std::span<const Leaf> rest = entry(leaves, key);
    const auto labelled =
        static_cast<size_t>(std::ranges::find_if(rest, &Leaf::is_text) - rest.begin());
    check(labelled == count, "there are ", labelled, " \"", key, "\" for ", count, " images");
    labels.push_back(rest);
  }
  std::string records;
  records.reserve(count * (labels.size() + pixels));
  for (size_t i = 0; i < count; ++i) {
    for (const std::span<const Leaf> list : labels) {
      check(list[i].number >= 0 && list[i].number < 256, "the label of image ", i,
            " is not a number from 0 to 255");
      records += static_cast<char>(list[i].number);
    }
    if (by_columns)
      for (size_t k = 0; k < pixels; ++k) records += bytes[k * count + i];
    else
      records += bytes.substr(i * pixels, pixels);
  }
  return records;
}

}  // namespace

std::string read_python_batch(const std::filesystem::path& path,
                              const std::vector<std::string>& label_keys, size_t pixels) {
  const std::string bytes = read_file(path, kMaxFileBytes);
  try {
    return records_of(leaves_of(bytes), label_keys, pixels);
  } catch (const Error& reason) {
    fail(path.string(),
         ": this is not a file of CIFAR's python version as it should be: ", reason.what(),
         "; get it again, or the binary version");
  }
}

}  // namespace pade::data
