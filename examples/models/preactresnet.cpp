#include "models/preactresnet.h"

#include <array>
#include <memory>

#include <pade/core/ops/arithmetic.h>
#include <pade/layers/activation.h>
#include <pade/layers/batch_norm.h>
#include <pade/layers/checkpoint.h>
#include <pade/layers/flatten.h>
#include <pade/layers/linear.h>
#include <pade/layers/pool.h>

#include "models/parts.h"

namespace pade::models {
namespace {

/// x + conv2(act2(bn2(conv1(a)))), a = act1(bn1(x)). Where the shape changes, a 1×1 convolution of
/// a stands for the first x.
class PreActBlock : public Module {
 public:
  PreActBlock(int64_t in, int64_t out, int64_t stride, const std::string& activation)
      : bn1_(in),
        act1_(make_activation(activation, in)),
        conv1_(conv(in, out, 3, stride)),
        bn2_(out),
        act2_(make_activation(activation, out)),
        conv2_(conv(out, out, 3)) {
    if (stride != 1 || in != out) shortcut_.add(conv(in, out, 1, stride));
  }

  void visit(ModuleVisitor& visitor) override {
    visitor.child("bn1", bn1_);
    visitor.child("act1", act1_);
    visitor.child("conv1", conv1_);
    visitor.child("bn2", bn2_);
    visitor.child("act2", act2_);
    visitor.child("conv2", conv2_);
    visitor.child("shortcut", shortcut_);
  }
  std::string description() const override { return "PreActBlock"; }

 protected:
  Tensor forward(const Tensor& x) override {
    const Tensor a = bn1_.then(*act1_, x);
    const Tensor branch = conv2_(bn2_.then(*act2_, conv1_(a)));
    return branch + (shortcut_.size() > 0 ? shortcut_(a) : x);
  }

 private:
  BatchNorm2d bn1_;
  std::unique_ptr<Activation> act1_;
  Conv2d conv1_;
  BatchNorm2d bn2_;
  std::unique_ptr<Activation> act2_;
  Conv2d conv2_;
  Sequential shortcut_;  // empty where it is the identity
};

template <class Stage>
Stage make_stage(int64_t blocks, int64_t in, int64_t out, const std::string& activation) {
  Stage stage;
  for (int64_t i = 0; i < blocks; ++i) {
    const int64_t stride = i == 0 && in != out ? 2 : 1;
    stage.add(PreActBlock(i == 0 ? in : out, out, stride, activation));
  }
  return stage;
}

Sequential preactresnet(const std::array<int64_t, 4>& blocks, const std::string& activation,
                        const PreActResNetOptions& options) {
  Sequential network{named("conv1", conv(3, options.width, 3))};
  int64_t channels = options.width;
  for (size_t i = 0; i < blocks.size(); ++i) {
    const int64_t out = options.width << i;
    const std::string name = "layer" + std::to_string(i + 1);
    if (options.checkpoint)
      network.add(
          named(name, make_stage<CheckpointedSequential>(blocks[i], channels, out, activation)));
    else
      network.add(named(name, make_stage<Sequential>(blocks[i], channels, out, activation)));
    channels = out;
  }
  network.add(named("bn", BatchNorm2d(channels)));
  network.add(named("act", make_activation(activation, channels)));
  network.add(named("pool", GlobalAvgPool2d()));
  network.add(named("flatten", Flatten()));
  network.add(named("linear", Linear(channels, options.classes)));
  return network;
}

}  // namespace

Sequential preactresnet18(const std::string& activation, PreActResNetOptions options) {
  return preactresnet({2, 2, 2, 2}, activation, options);
}

Sequential preactresnet34(const std::string& activation, PreActResNetOptions options) {
  return preactresnet({3, 4, 6, 3}, activation, options);
}

}  // namespace pade::models
