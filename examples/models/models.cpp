#include "models/models.h"

#include <pade/core/did_you_mean.h>
#include <pade/core/error.h>

#include "models/airnet.h"
#include "models/efficientnet.h"
#include "models/lenet.h"
#include "models/mobilenetv2.h"
#include "models/preactresnet.h"
#include "models/vgg.h"

namespace pade::models {
namespace {

struct Model {
  const char* name;
  Sequential (*make)(const std::string& activation, int64_t classes, std::optional<int64_t> width,
                     const Shape& image);
};

template <class Options, Sequential (*build)(const std::string&, Options)>
Sequential make(const std::string& activation, int64_t classes, std::optional<int64_t> width,
                const Shape& image) {
  Options options{.classes = classes};
  if constexpr (requires { options.image_size; }) {
    check(image.rank() == 3 && image[1] == image[2],
          "make_model: expected square images [channels, side, side], got ", image);
    options.channels = image[0];
    options.image_size = image[1];
  } else {
    check(image == Shape{3, 32, 32}, "make_model: expected images of ", Shape{3, 32, 32}, ", got ",
          image);
  }
  if constexpr (requires { options.width; })
    options.width = width.value_or(options.width);
  else
    check(!width, "make_model: the width of preactresnet18 and preactresnet34 can be chosen, no ",
          "other network's");
  return build(activation, options);
}

constexpr Model kModels[] = {
    {"lenet", make<LenetOptions, lenet>},
    {"preactresnet18", make<PreActResNetOptions, preactresnet18>},
    {"preactresnet34", make<PreActResNetOptions, preactresnet34>},
    {"mobilenetv2", make<MobileNetV2Options, mobilenetv2>},
    {"efficientnet-b0", make<EfficientNetOptions, efficientnet_b0>},
    {"vgg16", make<VggOptions, vgg16>},
    {"airnet", make<AirNetOptions, airnet>},
};

const char* name_of(const Model& model) { return model.name; }

}  // namespace

Sequential make_model(const std::string& name, const std::string& activation, int64_t classes,
                      std::optional<int64_t> width, const Shape& image) {
  check(classes >= 1, "make_model: expected at least 1 class, got ", classes);
  check(width.value_or(1) >= 1, "make_model: expected a width of at least 1, got ", *width);
  return value_named("model", name, kModels).make(activation, classes, width, image);
}

std::vector<std::string> model_names() {
  std::vector<std::string> names;
  for (const Model& model : kModels) names.push_back(model.name);
  return names;
}

}  // namespace pade::models
