#include "lab/numbers.h"

#include <algorithm>
#include <vector>

#include <pade/core/text_stream.h>
#include <pade/layers/rational_spec.h>

#include "lab/function_text.h"

namespace pade::lab {
namespace {

using Json = nlohmann::ordered_json;

Json fit_of(const std::string& text) {
  const Spec spec(text);
  const std::vector<std::string> fitted = rational_names();
  const bool is_fitted = std::find(fitted.begin(), fitted.end(), spec.name()) != fitted.end();
  if (!is_fitted || spec.has("coefficients")) return nullptr;
  const RationalSpec rational(spec);
  Json fit{{"target", make_activation(rational.init())->spec()},
           {"interval", rational.interval()},
           {"norm", "l2"},
           {"points", FitOptions().points}};
  for (const char* key : {"zero_mean", "gain", "zero_centred"})
    if (spec.text(key, "false") != "false") fit[key] = spec.text(key, "");
  return fit;
}

}  // namespace

Json numbers_of(const std::string& spec, const Activation& activation, bool given) {
  const ActivationFunction function = activation.as_function();
  const RationalFunction* rational = function.rational();
  if (rational)
    return {{"basis", name_of(rational->options.basis)},
            {"form", name_of(rational->options.form)},
            {"degrees", {rational->numerator_degree(), rational->denominator_degree()}},
            {"c", rational->c},
            {"d", rational->d},
            {"fit", given ? Json(nullptr) : fit_of(spec)}};
  Json constants = Json::object();
  const std::vector<std::string> names = function.names();
  const std::vector<double> values = function.values();
  for (size_t k = 0; k < names.size(); ++k) constants[names[k]] = values[k];
  return {{"constants", constants}, {"learned", activation.is_learned()}};
}

std::string text_of(const Json& numbers, const std::string& indent) {
  TextStream out;
  if (numbers.contains("constants")) {
    for (const auto& [name, value] : numbers["constants"].items())
      out << (out.tellp() > 0 ? ", " : indent) << name << " = " << value.get<double>();
    if (out.tellp() > 0) out << (numbers["learned"].get<bool>() ? ", learned\n" : "\n");
    return out.str();
  }
  out << indent << "c = " << joined(numbers["c"].get<std::vector<double>>()) << '\n'
      << indent << "d = " << joined(numbers["d"].get<std::vector<double>>()) << '\n';
  const Json& fit = numbers["fit"];
  if (fit.is_null()) return out.str();
  out << indent << "least-squares fit of " << fit["target"].get<std::string>() << " on ["
      << fit["interval"][0].get<double>() << ", " << fit["interval"][1].get<double>() << "], "
      << fit["points"].get<int>() << " points";
  for (const char* key : {"zero_mean", "gain", "zero_centred"})
    if (fit.contains(key)) out << ", " << key << '=' << fit[key].get<std::string>();
  out << '\n';
  return out.str();
}

}  // namespace pade::lab
