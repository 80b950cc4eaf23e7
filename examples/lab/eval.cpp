#include <cstdint>
#include <iomanip>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <pade/core/error.h>
#include <pade/core/ops/rearrange.h>
#include <pade/core/ops/reduce.h>
#include <pade/core/tape.h>
#include <pade/core/text_stream.h>

#include "lab/interval.h"
#include "lab/lab.h"
#include "lab/numbers.h"
#include "support/curve.h"
#include "support/number_option.h"

namespace pade::lab {
namespace {

struct Options {
  std::string activation, coefficients, dtype = "f64";
  Interval interval;
  int points = 11;
  std::vector<double> x;
  bool gradients = false, json = false;

  DType number_type() const { return dtype == "f32" ? DType::float32 : DType::float64; }
};

std::vector<double> points_of(const Options& options) {
  if (!options.x.empty()) return options.x;
  return support::even_points(options.interval.low.value_or(-5), options.interval.high.value_or(5),
                              options.points);
}

/// A row of the table: f, f′ and the gradient by every coefficient, as the kernels give them.
struct Row {
  double f, slope;
  std::vector<double> by_coefficient;
};

Row evaluate(Activation& activation, double at, DType dtype) {
  Tensor x = Tensor::full({1, activation.groups()}, at, dtype).requires_grad_();
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

/// x, f, df_dx, d2f_dx2, and with gradients df_dc0 … df_dd1 …, or df_dbeta.
std::vector<std::string> columns_of(Activation& activation, bool gradients) {
  std::vector<std::string> columns{"x", "f", "df_dx", "d2f_dx2"};
  if (gradients && !activation.parameters().empty())
    for (const std::string& name : activation.as_function().names())
      columns.push_back("df_d" + name);
  return columns;
}

/// Calls f(what stands in those columns) for each point.
template <class F>
void for_each_row(Activation& activation, const Options& options, F&& f) {
  for (const double given : points_of(options)) {
    // As it is in that precision.
    const double x = Tensor::full({1}, given, options.number_type()).item();
    const Row at = evaluate(activation, x, options.number_type());
    std::vector<double> row{x, at.f, at.slope, activation.derivatives(x).curvature};
    if (options.gradients)
      row.insert(row.end(), at.by_coefficient.begin(), at.by_coefficient.end());
    f(row);
  }
}

void print_json(const Options& options, Activation& activation,
                const std::vector<std::string>& columns) {
  nlohmann::ordered_json json{
      {"activation", options.activation},
      {"formula", activation.formula()},
      {"numbers", numbers_of(options.activation, activation, !options.coefficients.empty())},
      {"dtype", options.dtype},
      {"columns", columns},
      {"rows", nlohmann::ordered_json::array()}};
  for_each_row(activation, options,
               [&](const std::vector<double>& row) { json["rows"].push_back(row); });
  std::cout << json.dump(2) << '\n';
}

template <class T>
void print_line(const std::vector<T>& fields, int digits) {
  TextStream line;
  line << std::setprecision(digits);
  for (size_t i = 0; i < fields.size(); ++i) line << (i ? "," : "") << fields[i];
  std::cout << line.str() << '\n';
}

int eval(const Options& options) {
  const auto activation =
      make_with(options.activation, options.coefficients, options.number_type());
  activation->eval();  // without noise
  const std::vector<std::string> columns = columns_of(*activation, options.gradients);
  if (options.json) {
    print_json(options, *activation, columns);
    return 0;
  }
  const int digits = options.number_type() == DType::float32 ? 9 : 17;
  print_line(columns, digits);
  for_each_row(*activation, options,
               [&](const std::vector<double>& row) { print_line(row, digits); });
  check(std::cout.flush().good(), "eval: the table could not be written");
  return 0;
}

}  // namespace

void add_eval(CLI::App& app, Work& work) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "eval", "values, derivatives and gradients by the coefficients, as CSV on stdout");
  add_activation(*command, options->activation)->required();
  add_coefficients(*command, options->coefficients);
  add_interval(*command, options->interval);
  support::add_number(*command, "--points", options->points, "how many, evenly spaced",
                      {.least = 1, .most = 10'000'000})
      ->capture_default_str();
  support::add_number(*command, "--x", options->x, "the points themselves, with commas between")
      ->delimiter(',');
  command->add_flag("--gradients", options->gradients, "also by what is learned");
  command->add_option("--dtype", options->dtype, "f32|f64: what is computed in")
      ->check(CLI::IsMember({"f32", "f64"}))
      ->capture_default_str();
  command->add_flag("--json", options->json,
                    "the table, and what is known of the numbers, as JSON");
  command->callback([options, &work] { work = [options] { return eval(*options); }; });
}

}  // namespace pade::lab
