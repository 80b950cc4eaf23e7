#include "models/airnet.h"

#include <utility>

#include <pade/core/error.h>
#include <pade/layers/activation.h>
#include <pade/layers/batch_norm.h>
#include <pade/layers/conv.h>
#include <pade/layers/flatten.h>
#include <pade/layers/linear.h>
#include <pade/layers/pool.h>
#include <pade/layers/whitening.h>

namespace pade::models {
namespace {

constexpr Size2 kPatch = 2;
constexpr int64_t kWhitened = 2 * 3 * kPatch.area();

Conv2d conv(int64_t in, int64_t out) {
  return Conv2d(in, out, {.kernel = 3, .padding = 1, .bias = false, .init = Init::dirac});
}

BatchNorm2d norm(int64_t channels) {
  BatchNorm2d layer(channels, {.eps = 1e-12, .momentum = 0.4});
  layer.weight.requires_grad_(false);
  return layer;
}

Sequential group(int64_t in, int64_t out, const std::string& activation) {
  return Sequential{named("conv1", conv(in, out)),
                    named("pool", MaxPool2d(2)),
                    named("norm1", norm(out)),
                    named("act1", make_activation(activation, out)),
                    named("conv2", conv(out, out)),
                    named("norm2", norm(out)),
                    named("act2", make_activation(activation, out))};
}

}  // namespace

Sequential airnet(const std::string& activation, AirNetOptions options) {
  Conv2d whiten(3, kWhitened, {.kernel = kPatch});
  whiten.weight.requires_grad_(false);
  Linear head(256, options.classes, {.bias = false});
  head.weight.mul_(1.0 / 9);
  return Sequential{named("whiten", std::move(whiten)),
                    named("act", make_activation(activation, kWhitened)),
                    named("group1", group(kWhitened, 64, activation)),
                    named("group2", group(64, 256, activation)),
                    named("group3", group(256, 256, activation)),
                    named("pool", MaxPool2d(3)),
                    named("flatten", Flatten()),
                    named("head", std::move(head))};
}

void start_whitening(Sequential& network, const Tensor& images) {
  auto* const whiten = dynamic_cast<Conv2d*>(&network["whiten"]);
  check(whiten != nullptr, "start_whitening: expected an airnet");
  whiten->weight.copy_(whitening_filters(images, kPatch));
}

}  // namespace pade::models
