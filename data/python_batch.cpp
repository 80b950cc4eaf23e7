#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string_view>
#include <utility>

#include <pade/core/error.h>
#include <pade/core/io/file.h>
#include <pade/data/python_batch.h>

namespace pade::data {
namespace {

constexpr uint64_t kMaxFileBytes = uint64_t{256} << 20;
constexpr const char* kDamaged = "it is damaged";
constexpr size_t kMaxOpcodes = size_t{1} << 20;  // CIFAR-100 takes a quarter of that

/// What a pickle can hold here. Lists and what else has items own none of them: they stay until the
/// Unpickler goes, however they refer to each other.
struct Value {
  enum Kind { nothing, number, text, list, dictionary, name, object };
  Kind kind = nothing;
  int64_t integer = 0;
  std::string_view string{};            // of a text; of a name, as `dtype`
  std::vector<Value>* items = nullptr;  // of a dictionary: key, value, key, …; of an object: what
                                        // makes it, a list of that one's arguments, its state
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
    if (opcode == 'N') return push({});
    if (opcode == '\x88') return push({Value::number, 1});
    if (opcode == '\x89') return push({Value::number, 0});
    if (opcode == 'K') return push({Value::number, int64_t(number(1))});
    if (opcode == 'M') return push({Value::number, int64_t(number(2))});
    if (opcode == 'J') return push({Value::number, static_cast<int32_t>(number(4))});
    if (opcode == 'U' || opcode == 'C') return push({Value::text, 0, take(number(1))});
    if (opcode == 'T' || opcode == 'X' || opcode == 'B')
      return push({Value::text, 0, take(number(4))});
    if (opcode == 'c') return push_name();
    if (opcode == 'q') return remember(number(1));
    if (opcode == 'r') return remember(number(4));
    if (opcode == 'h') return push(remembered(number(1)));
    if (opcode == 'j') return push(remembered(number(4)));
    if (opcode == ']' || opcode == ')') return push_items(Value::list, {});
    if (opcode == '}') return push_items(Value::dictionary, {});
    if (opcode == '(') return marks_.push_back(stack_.size());
    if (opcode == 't') return push_items(Value::list, pop_marked());
    if (opcode >= '\x85' && opcode <= '\x87')
      return push_items(Value::list, pop(static_cast<size_t>(opcode - '\x84')));
    if (opcode == 'R') return push_items(Value::object, pop(2));
    if (opcode == 'a') return extend(Value::list, pop(1));
    if (opcode == 'e') return extend(Value::list, pop_marked());
    if (opcode == 's') return extend(Value::dictionary, pop(2));
    if (opcode == 'u') return extend(Value::dictionary, pop_marked());
    if (opcode == 'b') return extend(Value::object, pop(1));
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

  void push(const Value& value) { stack_.push_back(value); }
  void push_items(Value::Kind kind, std::vector<Value> items) {
    push({kind, 0, {}, &items_.emplace_back(std::move(items))});
  }
  /// Nothing of that name is looked for, let alone called.
  void push_name() {
    const std::string_view module = take_line(), own = take_line();
    const bool known = (module == "numpy" && (own == "ndarray" || own == "dtype")) ||
                       ((module == "numpy.core.multiarray" || module == "numpy._core.multiarray") &&
                        own == "_reconstruct");
    check(known, "it asks for ", module, ".", own,
          ", which is not part of an array, and is not run");
    push({Value::name, 0, own});
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
  void extend(Value::Kind kind, const std::vector<Value>& by) {
    check(top().kind == kind, kDamaged);
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
  std::deque<std::vector<Value>> items_;
};

const Value& item(const Value& of, Value::Kind kind, size_t i) {
  check(of.kind == kind && i < of.items->size(), "it is not made as CIFAR's files are");
  return (*of.items)[i];
}

const Value& entry(const Value& dictionary, std::string_view key) {
  for (size_t i = 0; dictionary.kind == Value::dictionary && i + 1 < dictionary.items->size();
       i += 2)
    if ((*dictionary.items)[i].string == key) return (*dictionary.items)[i + 1];
  fail("there is no \"", key, "\" in it");
}

std::string records_of(const Value& batch, const std::vector<std::string>& label_keys,
                       size_t pixels) {
  // NumPy: _reconstruct(ndarray, (0,), "b"), then the state (1, shape, dtype, by columns?, bytes),
  // with dtype("u1", …) for uint8.
  const Value& state = item(entry(batch, "data"), Value::object, 2);
  const Value &shape = item(state, Value::list, 1), &type = item(state, Value::list, 2);
  const bool by_columns = item(state, Value::list, 3).integer != 0;
  const std::string_view bytes = item(state, Value::list, 4).string;
  const Value& type_name = item(item(type, Value::object, 1), Value::list, 0);
  check(type_name.string == "u1", "its pixels have the type \"", type_name.string,
        "\", expected \"u1\" (uint8)");
  const auto count = static_cast<uint64_t>(item(shape, Value::list, 0).integer);
  check(shape.items->size() == 2 && static_cast<uint64_t>((*shape.items)[1].integer) == pixels &&
            bytes.size() % pixels == 0 && count == bytes.size() / pixels,
        "its pixels are ", bytes.size(), " bytes, expected an array [N, ", pixels, "]");

  std::vector<const Value*> labels;
  for (const std::string& key : label_keys) {
    labels.push_back(&entry(batch, key));
    const bool is_list = labels.back()->kind == Value::list;
    check(is_list && labels.back()->items->size() == count, "there are ",
          is_list ? labels.back()->items->size() : 0, " \"", key, "\" for ", count, " images");
  }
  std::string records;
  records.reserve(count * (labels.size() + pixels));
  for (size_t i = 0; i < count; ++i) {
    for (const Value* list : labels) {
      const Value& label = (*list->items)[i];
      check(label.kind == Value::number && label.integer >= 0 && label.integer < 256,
            "the label of image ", i, " is not a number from 0 to 255");
      records += static_cast<char>(label.integer);
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
