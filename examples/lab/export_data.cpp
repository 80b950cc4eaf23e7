#include <iterator>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <pade/core/build_info.h>
#include <pade/core/io/npy.h>
#include <pade/layers/rational.h>

#include "lab/export.h"
#include "onnx/activation.h"

namespace pade::lab {
namespace {

using Json = nlohmann::ordered_json;

/// The SPEC of the function; of those of several groups, that of an activation that can hold them.
std::string spec_of(const ExportedFunction& function) {
  const ActivationFunction& first = function.groups.front();
  if (function.groups.size() == 1) return first.spec();
  return Rational(*first.rational(), std::ssize(function.groups), DType::float64).spec();
}

Json origin(const Export& what) {
  const BuildInfo build = build_info();
  Json json{{"pade", build.version},
            {"commit", build.commit},
            {what.is_spec ? "activation" : "path", what.source}};
  if (!what.coefficients.empty()) json["coefficients"] = what.coefficients;
  return json;
}

}  // namespace

std::string exported_json(const Export& what) {
  const ExportedFunction& function = what.functions.front();
  const ActivationFunction& first = function.groups.front();
  Json json{{"format", "pade-activation"}, {"version", 1}, {"spec", spec_of(function)}};
  if (const RationalFunction* g = first.rational()) {
    json["basis"] = name_of(g->options.basis);
    json["form"] = name_of(g->options.form);
    json["degrees"] = {g->numerator_degree(), g->denominator_degree()};
    json["groups"] = function.groups.size();
    json["numerator"] = Json::array();
    json["denominator"] = Json::array();
    for (const ActivationFunction& group : function.groups) {
      json["numerator"].push_back(group.rational()->c);
      json["denominator"].push_back(group.rational()->d);
    }
  } else {
    json["formula"] = first.formula()->name;
    json["text"] = first.formula()->text;
    json["constants"] = Json::object();
    const std::vector<std::string> names = first.names();
    for (size_t k = 0; k < names.size(); ++k) json["constants"][names[k]] = first.values()[k];
  }
  json["layer"] = what.is_spec ? Json(nullptr) : Json(function.layer);
  json["source"] = origin(what);
  return json.dump(2, ' ', true, Json::error_handler_t::replace) + '\n';
}

std::string exported_npy(const Export& what) {
  std::vector<double> values;
  const auto& groups = what.functions.front().groups;
  for (const ActivationFunction& group : groups)
    for (const double value : group.values()) values.push_back(value);
  return npy_file(
      Tensor::from<double>(values, {std::ssize(groups), std::ssize(values) / std::ssize(groups)}));
}

std::string exported_onnx(const Export& what) {
  const ExportedFunction& function = what.functions.front();
  return onnx::onnx_of(function.groups, {.name = function.name,
                                         .text = origin_comment(what, ""),
                                         .metadata = {{"activation", spec_of(function)}}});
}

}  // namespace pade::lab
