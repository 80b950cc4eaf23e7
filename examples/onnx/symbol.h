#pragma once

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include <pade/core/error.h>

#include "onnx/graph.h"

namespace pade::onnx {

/// A number of which a graph is made while one computes with it: a value of the graph, or a
/// constant. It has what core/kernels/math/dual.h asks of the number type of a formula. Constants
/// among themselves are computed at once, in float64, and so is what multiplies by 0 or 1, or adds
/// 0.
class Symbol {
 public:
  Symbol() = default;
  explicit Symbol(double constant) : constant_(constant) {}
  Symbol(Graph& graph, std::string value) : graph_(&graph), value_(std::move(value)) {}

  const std::string& value() const { return value_; }
  bool is(double constant) const { return !graph_ && constant_ == constant; }

  /// The result of an operator, of which at least one operand is a value.
  static Symbol node(const char* op, std::initializer_list<Symbol> operands) {
    Graph* graph = nullptr;
    for (const Symbol& operand : operands)
      if (operand.graph_) graph = operand.graph_;
    check(graph != nullptr, "onnx: ", op, " of constants alone");
    std::vector<std::string> names;
    for (const Symbol& operand : operands)
      names.push_back(operand.graph_ ? operand.value_ : graph->number(operand.constant_));
    return {*graph, graph->node(op, names)};
  }

  friend Symbol operator-(const Symbol& a) {
    return a.graph_ ? node("Neg", {a}) : Symbol(-a.constant_);
  }
  friend Symbol operator+(const Symbol& a, const Symbol& b) {
    if (!a.graph_ && !b.graph_) return Symbol(a.constant_ + b.constant_);
    return a.is(0) ? b : b.is(0) ? a : node("Add", {a, b});
  }
  friend Symbol operator-(const Symbol& a, const Symbol& b) {
    if (!a.graph_ && !b.graph_) return Symbol(a.constant_ - b.constant_);
    return b.is(0) ? a : node("Sub", {a, b});
  }
  friend Symbol operator*(const Symbol& a, const Symbol& b) {
    if (!a.graph_ && !b.graph_) return Symbol(a.constant_ * b.constant_);
    if (a.is(0) || b.is(0)) return Symbol(0);
    return a.is(1) ? b : b.is(1) ? a : node("Mul", {a, b});
  }
  friend Symbol operator/(const Symbol& a, const Symbol& b) {
    if (!a.graph_ && !b.graph_) return Symbol(a.constant_ / b.constant_);
    return b.is(1) ? a : node("Div", {a, b});
  }

 private:
  Graph* graph_ = nullptr;  // null: a constant
  std::string value_;
  double constant_ = 0;
};

/// A number that is true or false.
struct Mask {
  Symbol flag;
};

inline Mask operator<(const Symbol& a, const Symbol& b) { return {Symbol::node("Less", {a, b})}; }
inline Mask operator>(const Symbol& a, const Symbol& b) {
  return {Symbol::node("Greater", {a, b})};
}
inline Symbol choose(const Mask& mask, const Symbol& a, const Symbol& b) {
  return Symbol::node("Where", {mask.flag, a, b});
}
inline Symbol magnitude(const Symbol& x) { return Symbol::node("Abs", {x}); }
inline Symbol smaller(const Symbol& a, const Symbol& b) { return Symbol::node("Min", {a, b}); }
inline Symbol larger(const Symbol& a, const Symbol& b) { return Symbol::node("Max", {a, b}); }
inline Symbol exp(const Symbol& x) { return Symbol::node("Exp", {x}); }
inline Symbol log(const Symbol& x) { return Symbol::node("Log", {x}); }
inline Symbol sqrt(const Symbol& x) { return Symbol::node("Sqrt", {x}); }
inline Symbol tanh(const Symbol& x) { return Symbol::node("Tanh", {x}); }
inline Symbol softplus(const Symbol& x) { return Symbol::node("Softplus", {x}); }
inline Symbol erf(const Symbol& x) { return Symbol::node("Erf", {x}); }

// There is no operator for these. The first two are right to float32's rounding of 1.

inline Symbol expm1(const Symbol& x) { return exp(x) - Symbol(1); }
inline Symbol erfc(const Symbol& x) { return Symbol(1) - erf(x); }
/// ln(1 + x) = 2 atanh(x / (x + 2)), which keeps the digits of a small x.
inline Symbol log1p(const Symbol& x) {
  return Symbol(2) * Symbol::node("Atanh", {x / (x + Symbol(2))});
}

}  // namespace pade::onnx
