#include "models/vgg.h"

#include <utility>

#include <pade/layers/activation.h>
#include <pade/layers/batch_norm.h>
#include <pade/layers/conv.h>
#include <pade/layers/flatten.h>
#include <pade/layers/linear.h>
#include <pade/layers/pool.h>

namespace pade::models {
namespace {

struct Stage {
  int64_t channels, convolutions;
};
constexpr Stage kStages[] = {{64, 2}, {128, 2}, {256, 3}, {512, 3}, {512, 3}};

}  // namespace

Sequential vgg16(const std::string& activation, VggOptions options) {
  Sequential features;
  int64_t channels = 3;
  for (const Stage& stage : kStages) {
    for (int64_t i = 0; i < stage.convolutions; ++i) {
      features.add(Conv2d(channels, stage.channels,
                          {.kernel = 3, .padding = 1, .init = Init::he_normal_fan_out}));
      features.add(BatchNorm2d(stage.channels));
      features.add(make_activation(activation, stage.channels));
      channels = stage.channels;
    }
    features.add(MaxPool2d(2));
  }
  return Sequential{named("features", std::move(features)), named("flatten", Flatten()),
                    named("classifier", Linear(channels, options.classes))};
}

}  // namespace pade::models
