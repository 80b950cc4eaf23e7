#pragma once

#include <string>
#include <vector>

#include <pade/layers/sequential.h>

namespace pade::models {

/// The network of that name, one of model_names(), for [N, 3, 32, 32] and this many classes, with
/// the activation that the SPEC `activation` names (layers/activation.h) in every place. Throws
/// Error that lists the names, and the nearest, on a wrong one, and for fewer than 1 class.
Sequential make_model(const std::string& name, const std::string& activation, int64_t classes);

/// lenet, preactresnet18, preactresnet34, mobilenetv2, efficientnet-b0, vgg16.
std::vector<std::string> model_names();

}  // namespace pade::models
