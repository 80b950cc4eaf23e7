#include "models/efficientnet.h"

#include <memory>
#include <utility>

#include <pade/core/ops/arithmetic.h>
#include <pade/core/ops/elementwise.h>
#include <pade/layers/activation.h>
#include <pade/layers/batch_norm.h>
#include <pade/layers/dropout.h>
#include <pade/layers/flatten.h>
#include <pade/layers/linear.h>
#include <pade/layers/pool.h>

#include "models/parts.h"

namespace pade::models {
namespace {

/// x · sigmoid(se2(act(se1(the mean of every channel of x)))): a weight for each channel.
class SqueezeExcitation : public Module {
 public:
  SqueezeExcitation(int64_t channels, int64_t squeezed, const std::string& activation)
      : se1_(channels, squeezed),
        act_(make_activation(activation, squeezed)),
        se2_(squeezed, channels) {}

  void visit(ModuleVisitor& visitor) override {
    visitor.child("pool", pool_);
    visitor.child("se1", se1_);
    visitor.child("act", act_);
    visitor.child("se2", se2_);
  }
  std::string description() const override { return "SqueezeExcitation"; }

 protected:
  Tensor forward(const Tensor& x) override { return x * sigmoid(se2_((*act_)(se1_(pool_(x))))); }

 private:
  GlobalAvgPool2d pool_;
  Conv2d se1_;
  std::unique_ptr<Activation> act_;
  Conv2d se2_;
};

struct BlockOptions {
  int64_t in, out, expansion, kernel, stride;
  double drop_connect;

  int64_t hidden() const { return in * expansion; }
};

/// An inverted residual with squeeze and excitation; without the first 1×1 convolution where there
/// is nothing to expand.
class MBConv : public Module {
 public:
  MBConv(const BlockOptions& options, const std::string& activation)
      : conv1_(options.expansion == 1
                   ? nullptr
                   : std::make_unique<Conv2d>(conv(options.in, options.hidden(), 1))),
        bn1_(conv1_ ? std::make_unique<BatchNorm2d>(options.hidden()) : nullptr),
        act1_(conv1_ ? make_activation(activation, options.hidden()) : nullptr),
        conv2_(conv(options.hidden(), options.hidden(), options.kernel, options.stride,
                    options.hidden())),
        bn2_(options.hidden()),
        act2_(make_activation(activation, options.hidden())),
        se_(options.hidden(), options.in / 4, activation),
        conv3_(conv(options.hidden(), options.out, 1)),
        bn3_(options.out),
        drop_(options.drop_connect),
        residual_(options.stride == 1 && options.in == options.out) {}

  void visit(ModuleVisitor& visitor) override {
    visitor.child("conv1", conv1_);
    visitor.child("bn1", bn1_);
    visitor.child("act1", act1_);
    visitor.child("conv2", conv2_);
    visitor.child("bn2", bn2_);
    visitor.child("act2", act2_);
    visitor.child("se", se_);
    visitor.child("conv3", conv3_);
    visitor.child("bn3", bn3_);
    visitor.child("drop", drop_);
  }
  std::string description() const override { return "MBConv"; }

 protected:
  Tensor forward(const Tensor& x) override {
    const Tensor expanded = conv1_ ? bn1_->then(*act1_, (*conv1_)(x)) : x;
    const Tensor y = bn3_(conv3_(se_(bn2_.then(*act2_, conv2_(expanded)))));
    return residual_ ? drop_(y) + x : y;
  }

 private:
  std::unique_ptr<Conv2d> conv1_;  // null, as the next two, where expansion is 1
  std::unique_ptr<BatchNorm2d> bn1_;
  std::unique_ptr<Activation> act1_;
  Conv2d conv2_;
  BatchNorm2d bn2_;
  std::unique_ptr<Activation> act2_;
  SqueezeExcitation se_;
  Conv2d conv3_;
  BatchNorm2d bn3_;
  StochasticDepth drop_;
  bool residual_;
};

struct Stage {
  int64_t expansion, channels, blocks, kernel, stride;
};
constexpr Stage kStages[] = {{1, 16, 1, 3, 1}, {6, 24, 2, 3, 2},  {6, 40, 2, 5, 2},
                             {6, 80, 3, 3, 2}, {6, 112, 3, 5, 1}, {6, 192, 4, 5, 2},
                             {6, 320, 1, 3, 1}};

}  // namespace

Sequential efficientnet_b0(const std::string& activation, EfficientNetOptions options) {
  Sequential network{named("conv1", conv(3, 32, 3)), named("bn1", BatchNorm2d(32)),
                     named("act1", make_activation(activation, 32))};
  int64_t blocks = 0;
  for (const Stage& stage : kStages) blocks += stage.blocks;
  Sequential layers;
  int64_t channels = 32;
  for (const Stage& stage : kStages)
    for (int64_t i = 0; i < stage.blocks; ++i) {
      const double depth = static_cast<double>(layers.size()) / static_cast<double>(blocks - 1);
      layers.add(MBConv({.in = channels,
                         .out = stage.channels,
                         .expansion = stage.expansion,
                         .kernel = stage.kernel,
                         .stride = i == 0 ? stage.stride : 1,
                         .drop_connect = options.drop_connect * depth},
                        activation));
      channels = stage.channels;
    }
  network.add(named("layers", std::move(layers)));
  network.add(named("pool", GlobalAvgPool2d()));
  network.add(named("flatten", Flatten()));
  network.add(named("dropout", Dropout(options.dropout)));
  network.add(named("linear", Linear(channels, options.classes)));
  return network;
}

}  // namespace pade::models
