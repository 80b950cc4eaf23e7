#pragma once

#include <memory>
#include <string>
#include <vector>

/// Numbers that are written down instead of computed: what a formula does with them becomes an
/// expression, which is printed as code of a programming language. Formulas that are templates of
/// their number type (core/kernels/math/formula.h) give their code so, and Duals of expressions
/// that of their derivatives.
namespace pade::lab {

class Expression {
 public:
  enum class Kind {
    constant,
    variable,
    negation,
    sum,
    difference,
    product,
    quotient,
    choice,
    call
  };
  struct Node;

  /// The constant 0.
  Expression() : Expression(0.0) {}
  explicit Expression(double constant);
  // Not inline: a formula and its derivatives make hundreds of them.
  Expression(const Expression& other);
  Expression& operator=(const Expression& other);
  ~Expression();
  /// What the code calls `name`: an argument, or an element of an array.
  static Expression variable(const std::string& name);
  static Expression of(Kind kind, std::vector<Expression> operands, const std::string& name = "");

  const Node& node() const { return *node_; }
  /// Whether this is a constant of that value.
  bool is(double constant) const;
  /// The same; printed code keeps it in a variable of that name.
  Expression called(const std::string& name) const;

 private:
  explicit Expression(Node node);
  std::shared_ptr<const Node> node_;
};

struct Expression::Node {
  Kind kind;
  double constant = 0;
  std::string name;                  ///< of a variable or of the function that is called
  std::vector<Expression> operands;  ///< of a choice a, b, c, d, which is a < b ? c : d
  std::string kept_as;               ///< the name of called(); may be empty
};

/// a < b.
struct Condition {
  Expression a, b;
};

// What is known is computed: 0 x is 0, and x + 0 is x.
Expression operator-(const Expression& a);
Expression operator+(const Expression& a, const Expression& b);
Expression operator-(const Expression& a, const Expression& b);
Expression operator*(const Expression& a, const Expression& b);
Expression operator/(const Expression& a, const Expression& b);
Condition operator<(const Expression& a, const Expression& b);
Condition operator>(const Expression& a, const Expression& b);
Expression choose(const Condition& condition, const Expression& a, const Expression& b);
Expression magnitude(const Expression& x);  ///< the function "fabs"
Expression exp(const Expression& x);
Expression expm1(const Expression& x);
Expression log(const Expression& x);
Expression log1p(const Expression& x);
Expression sqrt(const Expression& x);
Expression tanh(const Expression& x);
Expression erf(const Expression& x);
Expression erfc(const Expression& x);
Expression sin(const Expression& x);
Expression cos(const Expression& x);
Expression pow(const Expression& x, const Expression& exponent);

/// How a language writes what is not the same in all of them. Texts of operands are atoms: names,
/// numbers, calls, or in parentheses.
class Language {
 public:
  virtual ~Language() = default;
  virtual std::string number(double value) const = 0;
  virtual std::string call(const std::string& function, const std::string& arguments) const = 0;
  virtual std::string choice(const std::string& a, const std::string& b, const std::string& then,
                             const std::string& otherwise) const = 0;
  /// Where a quotient is to be more than a / b.
  virtual std::string quotient(const std::string& a, const std::string& b) const {
    return a + " / " + b;
  }
  /// The line that gives a new variable its value.
  virtual std::string declaration(const std::string& name, const std::string& value) const = 0;
};

/// Code that computes some expressions.
struct StraightLine {
  std::vector<std::string> lines;    ///< declarations, in order
  std::vector<std::string> results;  ///< what then is each of the expressions
};

/// What occurs twice is computed once. Variables without a name of their own are v1, v2, …
StraightLine straight_line(const std::vector<Expression>& expressions, const Language& language);

}  // namespace pade::lab
