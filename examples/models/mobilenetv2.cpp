#include "models/mobilenetv2.h"

#include <memory>
#include <utility>

#include <pade/core/ops/arithmetic.h>
#include <pade/layers/activation.h>
#include <pade/layers/batch_norm.h>
#include <pade/layers/flatten.h>
#include <pade/layers/linear.h>
#include <pade/layers/pool.h>

#include "models/parts.h"

namespace pade::models {
namespace {

/// An inverted residual: 1×1 to more channels, 3×3 on each of them, 1×1 to few, without activation.
class InvertedResidual : public Module {
 public:
  InvertedResidual(int64_t in, int64_t out, int64_t expansion, int64_t stride,
                   const std::string& activation)
      : InvertedResidual(in, out, stride, activation, expansion * in) {}

  void visit(ModuleVisitor& visitor) override {
    visitor.child("conv1", conv1_);
    visitor.child("bn1", bn1_);
    visitor.child("act1", act1_);
    visitor.child("conv2", conv2_);
    visitor.child("bn2", bn2_);
    visitor.child("act2", act2_);
    visitor.child("conv3", conv3_);
    visitor.child("bn3", bn3_);
    visitor.child("shortcut", shortcut_);
  }
  std::string description() const override { return "InvertedResidual"; }

 protected:
  Tensor forward(const Tensor& x) override {
    const Tensor expanded = bn1_.then(*act1_, conv1_(x));
    const Tensor y = bn3_(conv3_(bn2_.then(*act2_, conv2_(expanded))));
    return residual_ ? y + shortcut_(x) : y;
  }

 private:
  InvertedResidual(int64_t in, int64_t out, int64_t stride, const std::string& activation,
                   int64_t hidden)
      : conv1_(conv(in, hidden, 1)),
        bn1_(hidden),
        act1_(make_activation(activation, hidden)),
        conv2_(conv(hidden, hidden, 3, stride, hidden)),
        bn2_(hidden),
        act2_(make_activation(activation, hidden)),
        conv3_(conv(hidden, out, 1)),
        bn3_(out),
        residual_(stride == 1) {
    if (!residual_ || in == out) return;
    shortcut_.add(conv(in, out, 1));
    shortcut_.add(BatchNorm2d(out));
  }

  Conv2d conv1_;
  BatchNorm2d bn1_;
  std::unique_ptr<Activation> act1_;
  Conv2d conv2_;
  BatchNorm2d bn2_;
  std::unique_ptr<Activation> act2_;
  Conv2d conv3_;
  BatchNorm2d bn3_;
  bool residual_;
  Sequential shortcut_;  // empty where it is the identity
};

struct Stage {
  int64_t expansion, channels, blocks, stride;
};
constexpr Stage kStages[] = {{1, 16, 1, 1}, {6, 24, 2, 1},  {6, 32, 3, 2}, {6, 64, 4, 2},
                             {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};

}  // namespace

Sequential mobilenetv2(const std::string& activation, MobileNetV2Options options) {
  Sequential network{named("conv1", conv(3, 32, 3)), named("bn1", BatchNorm2d(32)),
                     named("act1", make_activation(activation, 32))};
  Sequential layers;
  int64_t channels = 32;
  for (const Stage& stage : kStages)
    for (int64_t i = 0; i < stage.blocks; ++i) {
      layers.add(InvertedResidual(channels, stage.channels, stage.expansion,
                                  i == 0 ? stage.stride : 1, activation));
      channels = stage.channels;
    }
  network.add(named("layers", std::move(layers)));
  network.add(named("conv2", conv(channels, 1280, 1)));
  network.add(named("bn2", BatchNorm2d(1280)));
  network.add(named("act2", make_activation(activation, 1280)));
  network.add(named("pool", GlobalAvgPool2d()));
  network.add(named("flatten", Flatten()));
  network.add(named("linear", Linear(1280, options.classes)));
  return network;
}

}  // namespace pade::models
