#pragma once

#include <memory>
#include <string>
#include <utility>

#include <pade/core/ops/arithmetic.h>
#include <pade/core/ops/elementwise.h>
#include <pade/layers/activation.h>
#include <pade/layers/batch_norm.h>
#include <pade/layers/conv.h>
#include <pade/layers/dropout.h>
#include <pade/layers/flatten.h>
#include <pade/layers/linear.h>
#include <pade/layers/pool.h>
#include <pade/layers/sequential.h>

/// ResNet-18 and MobileNet V2 as torchvision has them, for 1000 classes: every parameter and buffer
/// has its name and shape there, so that each can read the other's files.
namespace pade::torchvision {

/// Padded to keep the size at stride 1, for a batch norm behind it.
inline Conv2d conv(int64_t in, int64_t out, int64_t kernel, int64_t stride = 1,
                   int64_t groups = 1) {
  return Conv2d(in, out, kernel,
                {.stride = stride,
                 .padding = kernel / 2,
                 .groups = groups,
                 .bias = false,
                 .init = Init::he_normal_fan_out});
}

/// relu(x' + bn2(conv2(relu(bn1(conv1(x)))))), with x' = downsample(x) where the shape changes, and
/// x elsewhere.
class BasicBlock : public Module {
 public:
  BasicBlock(int64_t in, int64_t out, int64_t stride)
      : conv1_(conv(in, out, 3, stride)), bn1_(out), conv2_(conv(out, out, 3)), bn2_(out) {
    if (stride == 1 && in == out) return;
    downsample_.add(conv(in, out, 1, stride));
    downsample_.add(BatchNorm2d(out));
  }

  void visit(ModuleVisitor& visitor) override {
    visitor.child("conv1", conv1_);
    visitor.child("bn1", bn1_);
    visitor.child("relu", relu_);
    visitor.child("conv2", conv2_);
    visitor.child("bn2", bn2_);
    visitor.child("downsample", downsample_);
  }
  std::string description() const override { return "BasicBlock"; }

 protected:
  Tensor forward(const Tensor& x) override {
    const Tensor branch = bn2_(conv2_(bn1_.then(relu_, conv1_(x))));
    return relu_(branch + downsample_(x));
  }

 private:
  Conv2d conv1_;
  BatchNorm2d bn1_;
  ReLU relu_;
  Conv2d conv2_;
  BatchNorm2d bn2_;
  Sequential downsample_;  // empty where it is the identity
};

inline Sequential resnet18() {
  Sequential network{named("conv1", conv(3, 64, 7, 2)), named("bn1", BatchNorm2d(64)),
                     named("relu", ReLU()),
                     named("maxpool", MaxPool2d(3, {.stride = 2, .padding = 1}))};
  int64_t channels = 64;
  for (int stage = 0; stage < 4; ++stage) {
    const int64_t out = 64 << stage;
    network.add(
        named("layer" + std::to_string(stage + 1),
              Sequential{BasicBlock(channels, out, stage == 0 ? 1 : 2), BasicBlock(out, out, 1)}));
    channels = out;
  }
  network.add(named("avgpool", GlobalAvgPool2d()));
  network.add(named("flatten", Flatten()));
  network.add(named("fc", Linear(channels, 1000)));
  return network;
}

/// min(max(x, 0), 6).
struct ReLU6 : Module {
  std::string description() const override { return "ReLU6"; }

 protected:
  Tensor forward(const Tensor& x) override { return clamp(x, 0, 6); }
};

inline Sequential conv_norm_relu6(int64_t in, int64_t out, int64_t kernel, int64_t stride = 1,
                                  int64_t groups = 1) {
  return Sequential{conv(in, out, kernel, stride, groups), BatchNorm2d(out), ReLU6()};
}

/// 1×1 to more channels, 3×3 on each of them, 1×1 to few; plus x where the shape stays.
class InvertedResidual : public Module {
 public:
  InvertedResidual(int64_t in, int64_t out, int64_t expansion, int64_t stride)
      : residual_(stride == 1 && in == out) {
    const int64_t hidden = expansion * in;
    if (expansion != 1) conv_.add(conv_norm_relu6(in, hidden, 1));
    conv_.add(conv_norm_relu6(hidden, hidden, 3, stride, hidden));
    conv_.add(conv(hidden, out, 1));
    conv_.add(BatchNorm2d(out));
  }

  void visit(ModuleVisitor& visitor) override { visitor.child("conv", conv_); }
  std::string description() const override { return "InvertedResidual"; }

 protected:
  Tensor forward(const Tensor& x) override { return residual_ ? x + conv_(x) : conv_(x); }

 private:
  Sequential conv_;
  bool residual_;
};

inline Sequential mobilenet_v2() {
  struct Stage {
    int64_t expansion, channels, blocks, stride;
  };
  Sequential features;
  features.add(conv_norm_relu6(3, 32, 3, 2));
  int64_t channels = 32;
  for (const Stage& stage :
       {Stage{1, 16, 1, 1}, Stage{6, 24, 2, 2}, Stage{6, 32, 3, 2}, Stage{6, 64, 4, 2},
        Stage{6, 96, 3, 1}, Stage{6, 160, 3, 2}, Stage{6, 320, 1, 1}})
    for (int64_t i = 0; i < stage.blocks; ++i) {
      features.add(
          InvertedResidual(channels, stage.channels, stage.expansion, i == 0 ? stage.stride : 1));
      channels = stage.channels;
    }
  features.add(conv_norm_relu6(channels, 1280, 1));
  return Sequential{named("features", std::move(features)), named("pool", GlobalAvgPool2d()),
                    named("flatten", Flatten()),
                    named("classifier", Sequential{Dropout(0.2), Linear(1280, 1000)})};
}

}  // namespace pade::torchvision
