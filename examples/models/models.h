#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <pade/layers/sequential.h>

namespace pade::models {

/// The network of that name, one of model_names(), for this many classes, with the activation that
/// the SPEC `activation` names (layers/activation.h) in every place; `width` is that of
/// PreActResNetOptions. It takes images of shape `image`, which for lenet may be any of
/// LenetOptions. Throws Error that lists the names, and the nearest, on a wrong one, for fewer than
/// 1 class, for a width of another network, and for images that it does not take.
Sequential make_model(const std::string& name, const std::string& activation, int64_t classes,
                      std::optional<int64_t> width = {}, const Shape& image = {3, 32, 32});

/// lenet, preactresnet18, preactresnet34, mobilenetv2, efficientnet-b0, vgg16, airnet.
std::vector<std::string> model_names();

}  // namespace pade::models
