#include <map>
#include <set>
#include <utility>

#include "lab/expression.h"

namespace pade::lab {
namespace {

using Kind = Expression::Kind;

/// How tightly a text holds together: an operand that binds less than its place asks for stands in
/// parentheses.
enum Binding { choice, sum, product, prefix, atom };

struct Text {
  std::string text;
  Binding binding;

  std::string at(Binding least) const { return binding >= least ? text : '(' + text + ')'; }
};

class Printer {
 public:
  explicit Printer(const Language& language) : language_(language) {}

  /// Gives equal expressions one number, and counts where each of them occurs.
  size_t number(const Expression& expression) {
    const Expression::Node* node = &expression.node();
    if (const auto known = by_node_.find(node); known != by_node_.end()) {
      ++values_[known->second].uses;
      return known->second;
    }
    std::string key = std::to_string(static_cast<int>(node->kind)) + node->name + ':' +
                      (node->kind == Kind::constant ? language_.number(node->constant) : "");
    std::vector<size_t> operands;
    for (const Expression& operand : node->operands) {
      operands.push_back(number(operand));
      key += std::to_string(operands.back()) + ',';
    }
    const auto [place, is_new] = by_key_.try_emplace(key, values_.size());
    const size_t value = place->second;
    by_node_[node] = value;
    if (is_new) {
      values_.push_back({node, operands, 0, {}});
    } else {  // its operands are not computed again
      for (const size_t operand : operands) --values_[operand].uses;
    }
    ++values_[value].uses;
    if (!node->kept_as.empty()) values_[value].node = node;
    return value;
  }

  /// The text of a value, after the lines that it needs.
  Text print(size_t number, std::vector<std::string>& lines) {
    if (!values_[number].printed.text.empty()) return values_[number].printed;
    Text text = print_anew(number, lines);
    Value& value = values_[number];
    const bool is_leaf = value.node->kind == Kind::constant || value.node->kind == Kind::variable;
    if (!is_leaf && (value.uses > 1 || !value.node->kept_as.empty() || text.text.size() > kLong)) {
      const std::string name = new_name(value.node->kept_as);
      lines.push_back(language_.declaration(name, text.text));
      text = {name, atom};
    }
    value.printed = text;
    return text;
  }

 private:
  static constexpr size_t kLong = 70;  // characters

  struct Value {
    const Expression::Node* node;
    std::vector<size_t> operands;
    int uses;
    Text printed;
  };

  std::string new_name(const std::string& wanted) {
    std::string name = wanted;
    while (name.empty() || names_.contains(name)) name = "v" + std::to_string(++last_);
    names_.insert(name);
    return name;
  }

  Text print_anew(size_t number, std::vector<std::string>& lines) {
    const Expression::Node& node = *values_[number].node;
    std::vector<Text> of;
    for (const size_t operand : std::vector<size_t>(values_[number].operands))
      of.push_back(print(operand, lines));
    switch (node.kind) {
      case Kind::constant: {
        const std::string text = language_.number(node.constant);
        return {text, text.starts_with('-') ? prefix : atom};
      }
      case Kind::variable: return {node.name, atom};
      case Kind::negation: return {'-' + of[0].at(atom), prefix};
      case Kind::sum: return {of[0].at(sum) + " + " + of[1].at(product), sum};
      case Kind::difference: return {of[0].at(sum) + " - " + of[1].at(product), sum};
      case Kind::product: return {of[0].at(product) + " * " + of[1].at(prefix), product};
      case Kind::quotient: return {language_.quotient(of[0].at(product), of[1].at(atom)), product};
      case Kind::choice:
        return {language_.choice(of[0].at(sum), of[1].at(sum), of[2].at(sum), of[3].at(sum)),
                choice};
      case Kind::call: break;
    }
    std::string arguments;
    for (const Text& argument : of) arguments += (arguments.empty() ? "" : ", ") + argument.text;
    return {language_.call(node.name, arguments), atom};
  }

  const Language& language_;
  std::map<const Expression::Node*, size_t> by_node_;
  std::map<std::string, size_t> by_key_;
  std::vector<Value> values_;
  std::set<std::string> names_;
  int last_ = 0;
};

}  // namespace

StraightLine straight_line(const std::vector<Expression>& expressions, const Language& language) {
  Printer printer(language);
  std::vector<size_t> numbers;
  for (const Expression& expression : expressions) numbers.push_back(printer.number(expression));
  StraightLine code;
  for (const size_t number : numbers)
    code.results.push_back(printer.print(number, code.lines).text);
  return code;
}

}  // namespace pade::lab
