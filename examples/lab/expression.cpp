#include "lab/expression.h"

#include <cmath>
#include <utility>

namespace pade::lab {
namespace {

using Kind = Expression::Kind;

Expression called_with(const char* function, const Expression& x) {
  return Expression::of(Kind::call, {x}, function);
}

bool is_constant(const Expression& x) { return x.node().kind == Kind::constant; }
/// Whether it is better subtracted, as −x and −2 x are.
bool is_negated(const Expression& x) {
  const Expression::Node& node = x.node();
  if (node.kind == Kind::constant) return node.constant < 0;
  if (!node.kept_as.empty()) return false;
  return node.kind == Kind::negation ||
         (node.kind == Kind::product && is_negated(node.operands[0]));
}

}  // namespace

Expression::Expression(double constant) : Expression(Node{Kind::constant, constant, "", {}, ""}) {}
Expression::Expression(Node node) : node_(std::make_shared<const Node>(std::move(node))) {}
Expression::Expression(const Expression& other) = default;
Expression& Expression::operator=(const Expression& other) = default;
Expression::~Expression() = default;

Expression Expression::variable(const std::string& name) { return of(Kind::variable, {}, name); }

Expression Expression::of(Kind kind, std::vector<Expression> operands, const std::string& name) {
  return Expression(Node{kind, 0, name, std::move(operands), ""});
}

bool Expression::is(double constant) const {
  return node_->kind == Kind::constant && node_->constant == constant;
}

Expression Expression::called(const std::string& name) const {
  Node node = *node_;
  node.kept_as = name;
  return Expression(std::move(node));
}

Expression operator-(const Expression& a) {
  if (is_constant(a)) return Expression(0 - a.node().constant);
  if (a.node().kind == Kind::negation) return a.node().operands[0];
  if (is_negated(a)) return -a.node().operands[0] * a.node().operands[1];
  return Expression::of(Kind::negation, {a});
}

Expression operator+(const Expression& a, const Expression& b) {
  if (is_constant(a) && is_constant(b)) return Expression(a.node().constant + b.node().constant);
  if (a.is(0)) return b;
  if (b.is(0)) return a;
  if (is_negated(b)) return a - -b;
  return Expression::of(Kind::sum, {a, b});
}

Expression operator-(const Expression& a, const Expression& b) {
  if (is_constant(a) && is_constant(b)) return Expression(a.node().constant - b.node().constant);
  if (a.is(0)) return -b;
  if (b.is(0)) return a;
  if (is_negated(b)) return a + -b;
  return Expression::of(Kind::difference, {a, b});
}

Expression operator*(const Expression& a, const Expression& b) {
  if (is_constant(a) && is_constant(b)) return Expression(a.node().constant * b.node().constant);
  if (a.is(0) || b.is(0)) return Expression(0.0);
  if (a.is(1)) return b;
  if (b.is(1)) return a;
  if (a.is(-1)) return -b;
  if (b.is(-1)) return -a;
  return Expression::of(Kind::product, {a, b});
}

Expression operator/(const Expression& a, const Expression& b) {
  if (is_constant(a) && is_constant(b)) return Expression(a.node().constant / b.node().constant);
  if (a.is(0)) return a;
  if (b.is(1)) return a;
  return Expression::of(Kind::quotient, {a, b});
}

Condition operator<(const Expression& a, const Expression& b) { return {a, b}; }
Condition operator>(const Expression& a, const Expression& b) { return {b, a}; }

Expression choose(const Condition& condition, const Expression& a, const Expression& b) {
  if (&a.node() == &b.node() || (is_constant(a) && b.is(a.node().constant))) return a;
  return Expression::of(Kind::choice, {condition.a, condition.b, a, b});
}

Expression magnitude(const Expression& x) { return called_with("fabs", x); }
Expression exp(const Expression& x) { return called_with("exp", x); }
Expression expm1(const Expression& x) { return called_with("expm1", x); }
Expression log(const Expression& x) { return called_with("log", x); }
Expression log1p(const Expression& x) { return called_with("log1p", x); }
Expression sqrt(const Expression& x) { return called_with("sqrt", x); }
Expression tanh(const Expression& x) { return called_with("tanh", x); }
Expression erf(const Expression& x) { return called_with("erf", x); }
Expression erfc(const Expression& x) { return called_with("erfc", x); }
Expression sin(const Expression& x) { return called_with("sin", x); }
Expression cos(const Expression& x) { return called_with("cos", x); }
Expression pow(const Expression& x, const Expression& exponent) {
  return Expression::of(Kind::call, {x, exponent}, "pow");
}

}  // namespace pade::lab
