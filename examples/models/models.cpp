#include "models/models.h"

#include <pade/core/error.h>
#include <pade/core/names.h>

#include "models/efficientnet.h"
#include "models/lenet.h"
#include "models/mobilenetv2.h"
#include "models/preactresnet.h"
#include "models/vgg.h"

namespace pade::models {
namespace {

struct Model {
  const char* name;
  Sequential (*make)(const std::string& activation, int64_t classes);
};

template <class Options, Sequential (*build)(const std::string&, Options)>
Sequential make(const std::string& activation, int64_t classes) {
  return build(activation, {.classes = classes});
}

constexpr Model kModels[] = {
    {"lenet", make<LenetOptions, lenet>},
    {"preactresnet18", make<PreActResNetOptions, preactresnet18>},
    {"preactresnet34", make<PreActResNetOptions, preactresnet34>},
    {"mobilenetv2", make<MobileNetV2Options, mobilenetv2>},
    {"efficientnet-b0", make<EfficientNetOptions, efficientnet_b0>},
    {"vgg16", make<VggOptions, vgg16>},
};

const char* name_of(const Model& model) { return model.name; }

}  // namespace

Sequential make_model(const std::string& name, const std::string& activation, int64_t classes) {
  check(classes >= 1, "make_model: expected at least 1 class, got ", classes);
  return value_named("model", name, kModels).make(activation, classes);
}

std::vector<std::string> model_names() {
  std::vector<std::string> names;
  for (const Model& model : kModels) names.push_back(model.name);
  return names;
}

}  // namespace pade::models
