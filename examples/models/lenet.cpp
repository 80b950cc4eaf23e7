#include "models/lenet.h"

#include <pade/core/error.h>
#include <pade/layers/activation.h>
#include <pade/layers/conv.h>
#include <pade/layers/flatten.h>
#include <pade/layers/linear.h>
#include <pade/layers/pool.h>

namespace pade::models {

Sequential lenet(const std::string& activation, LenetOptions options) {
  check(options.image_size == 28 || options.image_size == 32,
        "lenet: expected images of 28×28 or 32×32 pixels, got ", options.image_size);
  const int64_t padding = (32 - options.image_size) / 2;
  return Sequential{named("conv1", Conv2d(options.channels, 6, {.kernel = 5, .padding = padding})),
                    named("act1", make_activation(activation, 6)),
                    named("pool1", MaxPool2d(2)),
                    named("conv2", Conv2d(6, 16, {.kernel = 5})),
                    named("act2", make_activation(activation, 16)),
                    named("pool2", MaxPool2d(2)),
                    named("flatten", Flatten()),
                    named("fc1", Linear(400, 120)),
                    named("act3", make_activation(activation, 120)),
                    named("fc2", Linear(120, 84)),
                    named("act4", make_activation(activation, 84)),
                    named("fc3", Linear(84, options.classes))};
}

}  // namespace pade::models
