#include <tuple>

#include <pade/core/error.h>
#include <pade/core/kernels/cpu/fusion.h>
#include <pade/core/kernels/kernels.h>
#include <pade/core/kernels/math/formula.h>
#include <pade/core/ops/formula.h>
#include <pade/core/ops/operands.h>
#include <pade/core/ops/pending_batch_norm.h>
#include <pade/core/tape.h>

namespace pade {
namespace {

template <class F>
Formula described(F, int index) {
  Formula formula{F::kName, F::kText, {}, index};
  for (const formulas::Constant& constant : F::kConstants)
    formula.constants.push_back({constant.name, constant.start, constant.learns});
  return formula;
}

std::vector<Formula> describe_all() {
  std::vector<Formula> all;
  for (int i = 0; i < static_cast<int>(std::tuple_size_v<formulas::All>); ++i)
    formulas::with_formula(i, [&](auto formula) { all.push_back(described(formula, i)); });
  return all;
}

void check_operands(const Formula& formula, const Tensor& x, const Tensor& constants) {
  check_floating(formula.name, {"x", x});
  check_defined(formula.name, {{"constants", constants}});
  const Shape expected = {static_cast<int64_t>(formula.constants.size())};
  check(constants.shape() == expected && constants.dtype() == x.dtype(), formula.name,
        ": expected constants of shape ", expected, " and x's dtype ", x.dtype(), ", got ",
        constants.shape(), " and ", constants.dtype());
  check(constants.device() == x.device(), formula.name, ": the constants must be on x's device ",
        x.device(), ", got ", constants.device());
}

}  // namespace

std::vector<double> Formula::starts() const {
  std::vector<double> values;
  for (const Constant& constant : constants) values.push_back(constant.start);
  return values;
}

const std::vector<Formula>& all_formulas() {
  static const std::vector<Formula> all = describe_all();
  return all;
}

const Formula* find_formula(std::string_view name) {
  for (const Formula& formula : all_formulas())
    if (name == formula.name) return &formula;
  return nullptr;
}

Tensor apply_formula(const Formula& formula, const Tensor& x, const Tensor& constants,
                     const std::vector<bool>& learns) {
  check_operands(formula, x, constants);
  check(learns.empty() || learns.size() == formula.constants.size(), formula.name, ": expected ",
        formula.constants.size(), " answers whether a constant learns, got ", learns.size());
  if (const auto pending = pending_batch_norm(x, {&constants}))
    return apply_to_pending(*pending, x,
                            cpu::formula_elementwise(formula, constants.requires_grad(), learns),
                            {&constants});
  Tensor y = Tensor::empty_like(x);
  kernels_of(x).formula_forward(formula, x, constants, y);
  record(
      formula.name, {&x, &constants}, y, {&x, &constants}, [formula, learns](Gradients& gradients) {
        const Tensor &x = gradients.saved(0), &constants = gradients.saved(1),
                     &dy = gradients.of_output();
        Tensor dx = Tensor::empty_like(x);
        Tensor dconstants = Tensor::empty_like(constants);
        if (gradients.needs(1) && dconstants.size() > 0) {
          kernels_of(x).formula_backward_with_constants(formula, x, constants, dy, dx, dconstants);
          for (size_t k = 0; k < learns.size(); ++k)
            if (!learns[k])
              dconstants.slice(static_cast<int64_t>(k), static_cast<int64_t>(k) + 1).fill_(0);
        } else {
          kernels_of(x).formula_backward(formula, x, constants, dy, dx);
        }
        gradients.set(0, dx);
        gradients.set(1, dconstants);
      });
  return y;
}

Tensor formula_curvature(const Formula& formula, const Tensor& x, const Tensor& constants) {
  check_operands(formula, x, constants);
  Tensor y = Tensor::empty_like(x);
  kernels_of(x).formula_curvature(formula, x, constants, y);
  return y;
}

Derivatives derivatives_of(const Formula& formula, double x, const std::vector<double>& constants) {
  check(constants.size() == formula.constants.size(), formula.name, ": expected ",
        formula.constants.size(), " constants, got ", constants.size());
  Derivatives derivatives{};
  formulas::with_formula(formula.index, [&](auto f) {
    using F = decltype(f);
    const auto y = formulas::curvature_at<F>(x, constants.data());
    const bool is_reached = formulas::within_reach<F, double>(x) == x;
    derivatives = {is_reached ? y.value.value : formulas::value_at<F>(x, constants.data()),
                   y.value.slopes[0], y.slopes[0].slopes[0]};
  });
  return derivatives;
}

}  // namespace pade
