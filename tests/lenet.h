#pragma once

#include <string_view>

#include <pade/layers/activation.h>
#include <pade/layers/conv.h>
#include <pade/layers/flatten.h>
#include <pade/layers/linear.h>
#include <pade/layers/pool.h>
#include <pade/layers/sequential.h>

/// The LeNet that is compared with PyTorch's (tests/fixtures/make_fixtures.py), value by value and
/// in speed: images [N, 1, 28, 28] → logits [N, 10].
inline pade::Sequential lenet(std::string_view activation) {
  using namespace pade;
  return Sequential{named("conv1", Conv2d(1, 6, {.kernel = 5, .padding = 2})),
                    named("act1", make_activation(activation)),
                    MaxPool2d(2),
                    named("conv2", Conv2d(6, 16, {.kernel = 5})),
                    named("act2", make_activation(activation)),
                    MaxPool2d(2),
                    Flatten(),
                    named("fc1", Linear(400, 120)),
                    named("act3", make_activation(activation)),
                    named("fc2", Linear(120, 84)),
                    named("act4", make_activation(activation)),
                    named("fc3", Linear(84, 10))};
}
