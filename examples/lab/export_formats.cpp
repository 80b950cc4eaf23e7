#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <pade/core/build_info.h>
#include <pade/core/numbers.h>

#include "lab/export.h"
#include "onnx/run.h"

namespace pade::lab {
namespace {

std::string as_real(const std::string& text) {
  return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

}  // namespace

const std::vector<ExportFormat>& export_formats() {
  static const std::vector<ExportFormat> all{
      {"c", ".h", "a C99 header that needs <math.h> alone", true, true, exported_c},
      {"cuda", ".cuh", "the same for the GPU and the CPU", true, true, exported_cuda},
      {"python", ".py", "Python that needs math alone", true, true, exported_python},
      {"torch", ".py", "PyTorch modules that go on learning", true, true, exported_torch},
      {"latex", ".tex", "the formula", true, true, exported_latex},
      {"json", ".json", "all there is to know", false, true, exported_json},
      {"npy", ".npy", "the coefficients for NumPy", false, false, exported_npy},
      {"onnx", ".onnx", "a graph; of a run folder the whole network", false, false, exported_onnx,
       onnx::onnx_of_run}};
  return all;
}

std::string quoted(const std::string& text) {
  using Json = nlohmann::json;
  return Json(text).dump(-1, ' ', true, Json::error_handler_t::replace);
}

std::string literal(double value) { return as_real(shortest(value)); }
std::string literal(float value) { return as_real(shortest(value)); }

std::string title_of(const ExportedFunction& function) {
  const ActivationFunction& first = function.groups.front();
  std::string title = function.name + ": ";
  if (const RationalFunction* g = first.rational()) {
    title += "degrees " + std::to_string(g->numerator_degree()) + '/' +
             std::to_string(g->denominator_degree()) + ", " + name_of(g->options.basis) + ", " +
             name_of(g->options.form);
  } else {
    if (function.name != first.formula()->name) title += std::string(first.formula()->name) + ", ";
    title += first.formula()->text;
    const std::vector<std::string> names = first.names();
    for (size_t k = 0; k < names.size(); ++k)
      title += ", " + names[k] + " = " + literal(first.values()[k]);
  }
  if (!function.layer.empty()) title += "; layer " + quoted(function.layer);
  if (function.groups.size() > 1)
    title += "; " + std::to_string(function.groups.size()) + " groups of channels";
  return title;
}

std::string origin_comment(const Export& what, const std::string& mark) {
  const BuildInfo build = build_info();
  std::string text = mark + "Written by activation_lab export of Padé " + build.version +
                     ", commit " + build.commit + ",\n" + mark + "from " +
                     (what.is_spec ? "the activation " : "") + quoted(what.source);
  if (!what.coefficients.empty()) text += " with the coefficients " + quoted(what.coefficients);
  text += ".\n";
  for (const ExportedFunction& function : what.functions) text += mark + title_of(function) + '\n';
  return text;
}

}  // namespace pade::lab
