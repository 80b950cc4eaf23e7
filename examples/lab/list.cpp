#include <iomanip>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <pade/core/ops/elementwise.h>
#include <pade/core/text_stream.h>
#include <pade/layers/rational.h>

#include "lab/lab.h"
#include "lab/numbers.h"

namespace pade::lab {
namespace {

void print_row(const std::string& name, const std::string& text, const std::string& keys) {
  std::cout << "  " << std::left << std::setw(12) << name << ' ' << text;
  if (!keys.empty()) std::cout << "   [" << keys << ']';
  std::cout << '\n';
}

/// "alpha=0.25, mu=1 learned".
std::string keys_of(const Formula& formula) {
  TextStream keys;
  for (const Formula::Constant& constant : formula.constants)
    keys << (keys.tellp() > 0 ? ", " : "") << constant.name << '=' << constant.start
         << (constant.learns ? " learned" : "");
  return keys.str();
}

const char* recurrence_text(Basis basis) {
  switch (basis) {
    case Basis::monomial: return "f_n+1 = x f_n";
    case Basis::chebyshev_t: return "f_1 = x, f_n+1 = 2 x f_n - f_n-1";
    case Basis::chebyshev_u: return "f_1 = 2 x, f_n+1 = 2 x f_n - f_n-1";
    case Basis::hermite_he: return "f_n+1 = x f_n - n f_n-1";
    case Basis::hermite_h: return "f_n+1 = 2 x f_n - 2 n f_n-1";
    case Basis::laguerre: return "(n+1) f_n+1 = (2n + 1 - x) f_n - n f_n-1";
    case Basis::legendre: return "(n+1) f_n+1 = (2n + 1) x f_n - n f_n-1";
  }
  return "";
}

const std::vector<const RationalPreset*>& presets() {
  static const std::vector<const RationalPreset*> all{&hp1_preset(), &hp2_preset(), &pau_preset()};
  return all;
}

int list() {
  std::cout << "Given by a formula; constants are keys, and trainable=true learns them all:\n";
  for (const Formula& formula : all_formulas())
    print_row(formula.name, formula.text, keys_of(formula));
  std::cout << "\nRational, P(x)/Q(x), all coefficients learned:\n";
  for (const RationalPreset* preset : presets()) {
    const auto activation = make_activation(preset->name, 1, DType::float64);
    print_row(preset->name, activation->formula(), "");
    std::cout << text_of(numbers_of(preset->name, *activation), std::string(15, ' '));
  }
  print_row("opau", "any basis, form and degrees", "basis=B must be given");
  print_row("hermite", "sum_0^n c_k He_k(x), starts with E[f^2] = E[f'^2] = 1", "degree=3");
  std::cout << "  keys: basis, form=termwise|whole_sum|full_sum|unsafe, degrees=5/4,\n"
               "        groups=1|N|channel, init=leaky_relu|any formula above, interval=-5:5,\n"
               "        zero_centred=true, zero_mean=true, gain=true|he_normal|pytorch|…,\n"
               "        noise=0.1, trainable=true|false\n"
               "\nBases, f_0 = 1:\n";
  for (const Basis basis : kAllBases) print_row(name_of(basis), recurrence_text(basis), "");
  return 0;
}

int list_json() {
  using Json = nlohmann::ordered_json;
  Json activations = Json::array(), bases = Json::array();
  const auto add = [&](const std::string& name) {
    const auto activation = make_activation(name, 1, DType::float64);
    activations.push_back({{"name", name},
                           {"formula", activation->formula()},
                           {"numbers", numbers_of(name, *activation)}});
  };
  for (const Formula& formula : all_formulas()) add(formula.name);
  for (const RationalPreset* preset : presets()) add(preset->name);
  add("hermite");
  for (const Basis basis : kAllBases)
    bases.push_back({{"name", name_of(basis)}, {"recurrence", recurrence_text(basis)}});
  std::cout << Json{{"activations", activations}, {"bases", bases}}.dump(2) << '\n';
  return 0;
}

}  // namespace

void add_list(CLI::App& app, Work& work) {
  auto json = std::make_shared<bool>(false);
  CLI::App* command =
      app.add_subcommand("list", "every activation and basis, with formula and numbers");
  command->add_flag("--json", *json, "as JSON");
  command->callback([json, &work] { work = *json ? list_json : list; });
}

}  // namespace pade::lab
