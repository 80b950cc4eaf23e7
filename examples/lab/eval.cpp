#include <cstdio>
#include <memory>
#include <optional>

#include <pade/core/error.h>
#include <pade/core/ops/reduce.h>
#include <pade/core/ops/slice.h>
#include <pade/core/tape.h>
#include <pade/core/text_stream.h>
#include <pade/layers/rational.h>

#include "lab/lab.h"
#include "support/number_option.h"

namespace pade::lab {
namespace {

struct Options {
  std::string activation, coefficients, dtype = "f64";
  double from = -5, to = 5;
  int points = 11;
  std::vector<double> x;
  bool gradients = false;

  DType number_type() const { return dtype == "f32" ? DType::float32 : DType::float64; }
};

std::vector<double> points_of(const Options& options) {
  if (!options.x.empty()) return options.x;
  std::vector<double> x;
  for (int i = 0; i < options.points; ++i)
    x.push_back(options.points == 1
                    ? options.from
                    : options.from + (options.to - options.from) * i / (options.points - 1));
  return x;
}

/// A row of the table: f, f′ and the gradient by every coefficient, as the kernels give them.
struct Row {
  double f, slope;
  std::vector<double> by_coefficient;
};

Row evaluate(Activation& activation, double at, DType dtype) {
  const auto* rational = dynamic_cast<Rational*>(&activation);
  const int64_t channels = rational ? rational->groups() : 1;
  Tensor x = Tensor::full({1, channels}, at, dtype).requires_grad_();
  Tape tape;
  const Tensor y = activation(x);
  tape.backward(sum(slice(y, 1, 0, 1)));
  Row row{y.at({0, 0}), x.grad().at({0, 0}), {}};
  for (const Parameter& parameter : activation.parameters()) {
    const Tensor gradient = parameter.tensor.grad();
    for (int64_t k = 0; k < gradient.extent(-1); ++k)
      row.by_coefficient.push_back(gradient.rank() == 2 ? gradient.at({0, k}) : gradient.at({k}));
  }
  return row;
}

/// ",df_dc0,…,df_dd1,…", or ",df_dbeta".
std::string gradient_columns(Activation& activation, const std::string& spec) {
  TextStream columns;
  if (const auto* rational = dynamic_cast<Rational*>(&activation)) {
    for (int64_t i = 0; i <= rational->numerator_degree(); ++i) columns << ",df_dc" << i;
    const int first = first_denominator(rational->options().form);
    for (int64_t j = first; j <= rational->denominator_degree(); ++j) columns << ",df_dd" << j;
    return columns.str();
  }
  const Formula* formula = find_formula(spec.substr(0, spec.find(':')));
  if (!activation.parameters().empty())
    for (const Formula::Constant& constant : formula->constants)
      columns << ",df_d" << constant.name;
  return columns.str();
}

int eval(const Options& options) {
  const DType dtype = options.number_type();
  const int digits = dtype == DType::float32 ? 9 : 17;
  const auto activation = make_with(options.activation, options.coefficients, dtype);
  activation->eval();  // without noise
  std::string header = "x,f,df_dx,d2f_dx2";
  if (options.gradients) header += gradient_columns(*activation, options.activation);
  std::printf("%s\n", header.c_str());
  for (const double given : points_of(options)) {
    const double x = Tensor::full({1}, given, dtype).item();  // as it is in that precision
    const Row row = evaluate(*activation, x, dtype);
    std::printf("%.*g,%.*g,%.*g,%.*g", digits, x, digits, row.f, digits, row.slope, digits,
                activation->derivatives(x).curvature);
    if (options.gradients)
      for (const double value : row.by_coefficient) std::printf(",%.*g", digits, value);
    std::printf("\n");
  }
  check(std::fflush(stdout) == 0, "eval: the table could not be written");
  return 0;
}

}  // namespace

void add_eval(CLI::App& app, Work& work) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "eval", "values, derivatives and gradients by the coefficients, as CSV on stdout");
  add_activation(*command, options->activation)->required();
  add_coefficients(*command, options->coefficients);
  support::add_number(*command, "--from", options->from, "first point")->capture_default_str();
  support::add_number(*command, "--to", options->to, "last point")->capture_default_str();
  support::add_number(*command, "--points", options->points, "how many, evenly spaced",
                      {.least = 1, .most = 10'000'000})
      ->capture_default_str();
  support::add_number(*command, "--x", options->x, "the points themselves, with commas between")
      ->delimiter(',');
  command->add_flag("--gradients", options->gradients, "also by what is learned");
  command->add_option("--dtype", options->dtype, "f32|f64: what is computed in")
      ->check(CLI::IsMember({"f32", "f64"}))
      ->capture_default_str();
  command->callback([options, &work] { work = [options] { return eval(*options); }; });
}

}  // namespace pade::lab
