#include <bit>
#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <pade/core/build_info.h>
#include <pade/layers/rational.h>

#include "lab/export.h"

namespace pade::lab {
namespace {

using Json = nlohmann::ordered_json;

/// The SPEC of an activation that can hold these coefficients.
std::string spec_of(const ExportedFunction& function) {
  const ActivationFunction& first = function.groups.front();
  if (const RationalFunction* g = first.rational())
    return Rational(*g, static_cast<int64_t>(function.groups.size()), DType::float64).spec();
  const Formula& formula = *first.formula();
  std::vector<bool> learns;
  for (const Formula::Constant& constant : formula.constants) learns.push_back(constant.learns);
  return FormulaActivation(formula, first.values(), learns, DType::float64).spec();
}

Json origin(const Export& what) {
  const BuildInfo build = build_info();
  Json json{{"pade", build.version},
            {"commit", build.commit},
            {what.is_spec ? "activation" : "path", what.source}};
  if (!what.coefficients.empty()) json["coefficients"] = what.coefficients;
  return json;
}

void append_little_endian(std::string& bytes, uint64_t value, int count) {
  for (int byte = 0; byte < count; ++byte) bytes += static_cast<char>(value >> (8 * byte) & 0xff);
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
  const auto& groups = what.functions.front().groups;
  const std::string shape = '(' + std::to_string(groups.size()) + ", " +
                            std::to_string(groups.front().values().size()) + ')';
  std::string header = "{'descr': '<f8', 'fortran_order': False, 'shape': " + shape + ", }";
  constexpr size_t kPreamble = 10, kAlignment = 64;
  while ((kPreamble + header.size() + 1) % kAlignment != 0) header += ' ';
  header += '\n';
  std::string bytes = "\x93NUMPY";
  bytes += {'\x01', '\x00'};  // the version
  append_little_endian(bytes, header.size(), 2);
  bytes += header;
  for (const ActivationFunction& group : groups)
    for (const double value : group.values())
      append_little_endian(bytes, std::bit_cast<uint64_t>(value), 8);
  return bytes;
}

}  // namespace pade::lab
