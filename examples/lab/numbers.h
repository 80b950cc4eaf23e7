#pragma once

#include <string>

#include <pade/layers/activation.h>

#include <nlohmann/json.hpp>

namespace pade::lab {

/// What an activation is in numbers. Of a rational one: basis, form, degrees, c, d, and "fit", how
/// these came about (target, interval, norm, points, and zero_mean, gain and zero_centred where the
/// SPEC asks for them); null where they are no fit, as when they were `given` by hand. Of a
/// formula: its constants.
nlohmann::ordered_json numbers_of(const std::string& spec, const Activation& activation,
                                  bool given = false);

/// The same for people, in lines that begin with `indent`.
std::string text_of(const nlohmann::ordered_json& numbers, const std::string& indent);

}  // namespace pade::lab
