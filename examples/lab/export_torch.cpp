#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <pade/core/polynomial_basis.h>

#include "lab/export.h"
#include "lab/function_code.h"

namespace pade::lab {
namespace {

// Gradients are written out, and not left to PyTorch's autograd: that gives |.| the slope 0 at 0,
// where Padé gives +1, so that a coefficient that starts at 0 still learns, and it makes a NaN of
// the branch of torch.where() that is not taken where that overflows.

constexpr const char* kRational = R"(

class _RationalFunction(torch.autograd.Function):
    """P(x)/Q(x), where sgn(0) = +1 at every kink; it can be differentiated twice."""

    @staticmethod
    def forward(ctx, x, numerator, denominator, kind):
        ctx.save_for_backward(x, numerator, denominator)
        ctx.kind = kind
        return _evaluate(x, numerator, denominator, kind)[0]

    @staticmethod
    def backward(ctx, dy):
        x, numerator, denominator = ctx.saved_tensors
        _, slope, by_c, by_d = _evaluate(x, numerator, denominator, ctx.kind)
        groups = len(numerator)

        def summed(by):
            """Over the elements of each group."""
            of_x = dy * by
            if groups == 1:
                return of_x.sum().reshape(1)
            return of_x.transpose(0, 1).reshape(groups, -1).sum(1)

        dc = torch.stack([summed(by) for by in by_c], 1)
        dd = torch.stack([summed(by) for by in by_d], 1) if by_d else torch.zeros_like(denominator)
        return dy * slope, dc, dd, None


def _sign(x):
    return torch.where(x < 0, -torch.ones_like(x), torch.ones_like(x))


def _columns(coefficients, x):
    """Each coefficient as a number, or as a tensor that goes along the channels of x."""
    groups = len(coefficients)
    if groups > 1:
        if x.dim() < 2 or x.shape[1] % groups:
            raise ValueError(f'the channels (axis 1) of {tuple(x.shape)} cannot be cut into '
                             f'{groups} equal groups')
        coefficients = coefficients.repeat_interleave(x.shape[1] // groups, 0)
    shape = (-1,) + (1,) * (x.dim() - 2) if groups > 1 else ()
    return [column.reshape(shape) for column in coefficients.unbind(1)]


def _evaluate(x, numerator, denominator, kind):
    """The value, and its derivatives by x and by each coefficient.

    With s = max(1, |x|), g[k] is f_k(x) / s^k and h[k] f_k'(x) / s^(k-1), which do not overflow.
    In float32 the powers of 1 / s vanish beyond |x| = 1e9, which is right unless c_m or d_n is 0.
    """
    c, d = _columns(numerator, x), _columns(denominator, x)
    is_termwise, first = kind['form'] == 'termwise', kind['first']
    m, n = len(c) - 1, len(d) - 1 + first
    is_far = x.abs() > 1
    s = torch.where(is_far, x.abs(), torch.ones_like(x))
    t, u = 1 / s, torch.where(is_far, _sign(x), x)
    g, h = [torch.ones_like(x)], [torch.zeros_like(x)]
    for k in range(max(m, n)):
        a, b, c_k = kind['a'][k], kind['b'][k], kind['c'][k]
        factor = a * u + b * t
        g.append(factor * g[k] - (c_k * t * t * g[k - 1] if k else 0))
        h.append(a * g[k] + factor * h[k] - (c_k * t * t * h[k - 1] if k else 0))

    p = dp = total = dtotal = torch.zeros_like(x)
    for k in range(m + 1):
        p, dp = p * t + c[k] * g[k], dp * t + c[k] * h[k]
    by_total = []  # the derivatives of Q's sum by d, times a power of t
    for k in range(n + 1):
        weight = d[k - first] if k >= first else torch.zeros_like(p)
        if is_termwise and k >= first:
            by_total.append(_sign(weight) * g[k].abs())
            weight = weight.abs() * _sign(g[k])
        elif k >= first:
            by_total.append(g[k])
        total, dtotal = total * t + weight * g[k], dtotal * t + weight * h[k]
    if kind['is_magnitude']:
        sign = _sign(total)
        total, dtotal = total * sign, dtotal * sign
        by_total = [sign * by for by in by_total]
    q = kind['constant'] * t ** n + total

    def power(k):
        return s ** k if k >= 0 else t ** -k

    ratio = p / q
    value = power(m - n) * ratio
    slope = power(m - n - 1) * ((dp - ratio * dtotal) / q)
    by_c = [power(k - n) * (g[k] / q) for k in range(m + 1)]
    by_d = [-value * power(k - n) * (by / q) for k, by in enumerate(by_total, first)]
    return value, slope, by_c, by_d


class _Rational(nn.Module):
    """x of any shape; with several groups its channels (axis 1) are cut into that many runs."""

    def __init__(self, trainable=True):
        super().__init__()
        self.numerator = nn.Parameter(torch.tensor(self.NUMERATOR), trainable)
        self.denominator = nn.Parameter(torch.tensor(self.DENOMINATOR), trainable)

    def forward(self, x):
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        return _RationalFunction.apply(wide, self.numerator.to(wide.dtype),
                                       self.denominator.to(wide.dtype), self.KIND).to(x.dtype)
)";

constexpr const char* kFormula = R"(

def _reached(x):
    """x, cut where the derivative is that at infinity and nothing overflows yet."""
    reach = 2.0 ** (1000 if x.dtype == torch.float64 else 100)
    return x.clamp(-reach, reach)


class _Formula(nn.Module):
    """x of any shape."""

    def __init__(self, trainable=True):
        super().__init__()
        if self.CONSTANTS:
            self.constants = nn.Parameter(torch.tensor(self.CONSTANTS), trainable)

    def forward(self, x):
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        constants = self.constants.to(wide.dtype) if self.CONSTANTS else None
        return self.FUNCTION.apply(wide, constants).to(x.dtype)
)";

class Torch : public Language {
 public:
  std::string number(double value) const override { return literal(value); }
  std::string call(const std::string& function, const std::string& arguments) const override {
    return "torch." + (function == "fabs" ? "abs" : function) + '(' + arguments + ')';
  }
  std::string choice(const std::string& a, const std::string& b, const std::string& then,
                     const std::string& otherwise) const override {
    const bool are_numbers = is_number(then) && is_number(otherwise);
    const std::string text = "torch.where(" + a + " < " + b + ", " + then + ", " + otherwise + ')';
    return are_numbers ? text + ".to(x.dtype)" : text;
  }
  std::string declaration(const std::string& name, const std::string& value) const override {
    return name + " = " + value;
  }

 private:
  static bool is_number(const std::string& text) {
    return text.find_first_not_of("-+.0123456789e") == std::string::npos;
  }
};

std::string tuple(const std::vector<double>& values) {
  std::string text = "(";
  for (const double value : values) text += literal(value) + ", ";
  if (values.size() > 1) text.erase(text.size() - 2);
  if (values.size() == 1) text.pop_back();
  return text + ')';
}

/// act1 as Act1, and features_0 as Features0.
std::string class_name(const std::string& identifier) {
  std::string text;
  bool is_start = true;
  for (const char c : identifier) {
    if (c != '_') text += is_start && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    is_start = c == '_';
  }
  return text;
}

std::string rational_class(const ExportedFunction& function, const std::string& name) {
  const RationalOptions options = function.groups.front().rational()->options;
  const Recurrence r = recurrence_of(options.basis);
  std::string c, d;
  for (const ActivationFunction& group : function.groups) {
    c += (c.empty() ? "(" : ",\n                 ") + tuple(group.rational()->c);
    d += (d.empty() ? "(" : ",\n                   ") + tuple(group.rational()->d);
  }
  const auto table = [](const std::array<double, kMaxDegree>& of) {
    return tuple({of.begin(), of.end()});
  };
  return "\n\nclass " + name + "(_Rational):\n    # f_0 = 1, f_(k+1) = (a_k x + b_k) f_k - c_k " +
         "f_(k-1)\n    KIND = {'form': '" + name_of(options.form) +
         "',\n            'first': " + std::to_string(first_denominator(options.form)) +
         ",  # the denominator begins with d_" + std::to_string(first_denominator(options.form)) +
         "\n            'is_magnitude': " +
         (takes_magnitude_of_sum(options.form) ? "True" : "False") +
         ",\n            'constant': " + literal(denominator_constant(options.form)) +
         ",\n            'a': " + table(r.a) + ",\n            'b': " + table(r.b) +
         ",\n            'c': " + table(r.c) + "}\n    NUMERATOR = " + c +
         ",)\n    DENOMINATOR = " + d + ",)\n";
}

std::string formula_class(const ExportedFunction& function, const std::string& name) {
  const ActivationFunction& first = function.groups.front();
  const size_t count = first.values().size();
  const FormulaGradients of = gradients_of(*first.formula(), "c");
  const Torch torch;
  const StraightLine forward = straight_line({of.value}, torch),
                     backward = straight_line(of.slopes, torch);
  std::string text = "\n\nclass _" + name + "Function(torch.autograd.Function):\n" +
                     "    @staticmethod\n    def forward(ctx, x, c):\n"
                     "        ctx.save_for_backward(x, c)\n";
  for (const std::string& line : forward.lines) text += "        " + line + '\n';
  text += "        return " + forward.results[0] +
          "\n\n    @staticmethod\n    @once_differentiable\n    def backward(ctx, dy):\n"
          "        x, c = ctx.saved_tensors\n        x = _reached(x)\n";
  for (const std::string& line : backward.lines) text += "        " + line + '\n';
  text += "        return dy * (" + backward.results[0] + "), ";
  if (count == 0) text += "None\n";
  for (size_t k = 0; k < count; ++k)
    text += std::string(k == 0 ? "torch.stack([\n" : ",\n") + "            (dy * (" +
            backward.results[1 + k] + ")).sum()";
  if (count > 0) text += "])\n";
  return text + "\n\nclass " + name + "(_Formula):\n    FUNCTION = _" + name +
         "Function\n    CONSTANTS = " + tuple(first.values()) + '\n';
}

}  // namespace

std::string exported_torch(const Export& what) {
  const auto is_rational = [](const ExportedFunction& function) {
    return function.groups.front().rational() != nullptr;
  };
  const auto count = std::count_if(what.functions.begin(), what.functions.end(), is_rational);
  const bool has_formulas = count < std::ssize(what.functions);
  std::string text = origin_comment(what, "# ") +
                     "#\n# load_state_dict() takes the tensors of Padé's safetensors files, by "
                     "their names. Gradients are\n# exact, at kinks too, where sgn(0) = +1; "
                     "torch.set_default_dtype() decides how many digits the\n# start has.\n\n"
                     "import torch\nfrom torch import nn\n";
  if (has_formulas) text += "from torch.autograd.function import once_differentiable\n";
  if (count > 0) text += kRational;
  if (has_formulas) text += kFormula;
  std::vector<std::string> taken;
  for (const ExportedFunction& function : what.functions) {
    const std::string name = identifier_of(class_name(function.name), taken);
    taken.push_back(name);
    text += is_rational(function) ? rational_class(function, name) : formula_class(function, name);
  }
  return text;
}

}  // namespace pade::lab
