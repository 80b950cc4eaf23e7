#include <algorithm>
#include <cstddef>
#include <deque>
#include <filesystem>
#include <map>
#include <string_view>
#include <utility>

#include <pade/core/error.h>
#include <pade/core/io/file.h>
#include <pade/data/cifar.h>

namespace pade::data {
namespace {

constexpr uint64_t kMaxFileBytes = uint64_t{256} << 20;
constexpr const char* kDamaged = "it is damaged";
constexpr size_t kMaxOpcodes = size_t{1} << 20;  // CIFAR-100 takes a quarter of that

/// What a pickle can hold here: a number, a text or a list. A dictionary is the list of its keys
/// and values, key, value, key, …; an object that of what makes it, the list of that one's
/// arguments, and its state. Lists own none of what is in them: it stays until the Unpickler goes,
/// however they refer to each other.
struct Value {
  int64_t number = -1;  // of others: none that is valid anywhere
  std::string_view text{};
  std::vector<Value>* items = nullptr;
};

/// The machine that pickles are programs for, without the opcodes that could do anything.
/// https://github.com/python/cpython/blob/main/Lib/pickletools.py says what each one does.
class Unpickler {
 public:
  explicit Unpickler(std::string_view bytes) : bytes_(bytes) {}

  Value run() {
    for (size_t count = 0; count < kMaxOpcodes; ++count) {
      const char opcode = take(1)[0];
      if (opcode == '.') return top();
      step(opcode);
    }
    fail("it consists of more parts than CIFAR's");
  }

 private:
  void step(char opcode) {
    if (opcode == '\x80') return check(number(1) <= 3, "its protocol is newer than 3");
    if (opcode == 'N') return stack_.push_back({});
    if (opcode == '\x88') return stack_.push_back({1});
    if (opcode == '\x89') return stack_.push_back({0});
    if (opcode == 'K') return stack_.push_back({int64_t(number(1))});
    if (opcode == 'M') return stack_.push_back({int64_t(number(2))});
    if (opcode == 'J') return stack_.push_back({static_cast<int32_t>(number(4))});
    if (opcode == 'U' || opcode == 'C') return stack_.push_back({-1, take(number(1))});
    if (opcode == 'T' || opcode == 'X' || opcode == 'B')
      return stack_.push_back({-1, take(number(4))});
    if (opcode == 'c') return push_name();
    if (opcode == 'q') return remember(number(1));
    if (opcode == 'r') return remember(number(4));
    if (opcode == 'h') return stack_.push_back(remembered(number(1)));
    if (opcode == 'j') return stack_.push_back(remembered(number(4)));
    if (opcode == ']' || opcode == ')' || opcode == '}') return push_list({});
    if (opcode == '(') return marks_.push_back(stack_.size());
    if (opcode == 't') return push_list(pop_marked());
    if (opcode >= '\x85' && opcode <= '\x87')
      return push_list(pop(static_cast<size_t>(opcode - '\x84')));
    if (opcode == 'R') return push_list(pop(2));
    if (opcode == 'a' || opcode == 'b') return extend(pop(1));
    if (opcode == 's') return extend(pop(2));
    if (opcode == 'e' || opcode == 'u') return extend(pop_marked());
    fail("it holds something else than numbers, strings, lists, dictionaries and arrays (opcode ",
         int{static_cast<uint8_t>(opcode)}, ")");
  }

  std::string_view take(uint64_t count) {
    check(count <= bytes_.size(), "it is truncated");
    const std::string_view taken = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return taken;
  }
  std::string_view take_line() {
    const std::string_view line = take(std::min(bytes_.find('\n'), bytes_.size()));
    take(1);
    return line;
  }
  uint64_t number(size_t count) {
    uint64_t number = 0;
    const std::string_view taken = take(count);
    for (size_t i = count; i-- > 0;) number = number << 8 | static_cast<uint8_t>(taken[i]);
    return number;
  }

  void push_list(std::vector<Value> items) {
    stack_.push_back({-1, {}, &lists_.emplace_back(std::move(items))});
  }
  /// Nothing of that name is looked for, let alone called.
  void push_name() {
    const std::string_view module = take_line(), own = take_line();
    const bool known = (module == "numpy" && (own == "ndarray" || own == "dtype")) ||
                       ((module == "numpy.core.multiarray" || module == "numpy._core.multiarray") &&
                        own == "_reconstruct");
    check(known, "it asks for ", module, ".", own,
          ", which is not part of an array, and is not run");
    stack_.push_back({-1, own});
  }

  Value& top() {
    check(!stack_.empty(), kDamaged);
    return stack_.back();
  }
  std::vector<Value> pop(size_t count) {
    check(count <= stack_.size(), kDamaged);
    const auto first = stack_.end() - static_cast<std::ptrdiff_t>(count);
    std::vector<Value> last(first, stack_.end());
    stack_.erase(first, stack_.end());
    return last;
  }
  std::vector<Value> pop_marked() {
    check(!marks_.empty() && marks_.back() <= stack_.size(), kDamaged);
    const size_t mark = marks_.back();
    marks_.pop_back();
    return pop(stack_.size() - mark);
  }
  void extend(const std::vector<Value>& by) {
    check(top().items != nullptr, kDamaged);
    top().items->insert(top().items->end(), by.begin(), by.end());
  }
  void remember(uint64_t key) { memo_[key] = top(); }
  const Value& remembered(uint64_t key) const {
    const auto found = memo_.find(key);
    check(found != memo_.end(), kDamaged);
    return found->second;
  }

  std::string_view bytes_;
  std::vector<Value> stack_;
  std::vector<size_t> marks_;
  std::map<uint64_t, Value> memo_;
  std::deque<std::vector<Value>> lists_;
};

const Value& item(const Value& of, size_t i) {
  check(of.items && i < of.items->size(), "it is not made as CIFAR's files are");
  return (*of.items)[i];
}

const Value& entry(const Value& dictionary, std::string_view key) {
  for (size_t i = 0; dictionary.items && i + 1 < dictionary.items->size(); i += 2)
    if (item(dictionary, i).text == key) return item(dictionary, i + 1);
  fail("there is no \"", key, "\" in it");
}

std::string records_of(const Value& batch, const std::vector<std::string>& label_keys,
                       size_t pixels) {
  // NumPy: _reconstruct(ndarray, (0,), "b"), then the state (1, shape, dtype, by columns?, bytes),
  // with dtype("u1", …) for uint8.
  const Value& state = item(entry(batch, "data"), 2);
  const Value &shape = item(state, 1), &type_name = item(item(item(state, 2), 1), 0);
  const bool by_columns = item(state, 3).number > 0;
  const std::string_view bytes = item(state, 4).text;
  check(type_name.text == "u1", "its pixels have the type \"", type_name.text,
        "\", expected \"u1\" (uint8)");
  const auto count = static_cast<uint64_t>(item(shape, 0).number);
  check(shape.items->size() == 2 && static_cast<uint64_t>(item(shape, 1).number) == pixels &&
            bytes.size() % pixels == 0 && count == bytes.size() / pixels,
        "its pixels are ", bytes.size(), " bytes, expected an array [N, ", pixels, "]");

  std::vector<const Value*> labels;
  for (const std::string& key : label_keys) {
    labels.push_back(&entry(batch, key));
    const size_t labelled = labels.back()->items ? labels.back()->items->size() : 0;
    check(labelled == count, "there are ", labelled, " \"", key, "\" for ", count, " images");
  }
  std::string records;
  records.reserve(count * (labels.size() + pixels));
  for (size_t i = 0; i < count; ++i) {
    for (const Value* list : labels) {
      const int64_t label = item(*list, i).number;
      check(label >= 0 && label < 256, "the label of image ", i, " is not a number from 0 to 255");
      records += static_cast<char>(label);
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
    Unpickler unpickler(bytes);
    return records_of(unpickler.run(), label_keys, pixels);
  } catch (const Error& reason) {
    fail(path.string(),
         ": this is not a file of CIFAR's python version as it should be: ", reason.what(),
         "; get it again, or the binary version");
  }
}

}  // namespace pade::data
