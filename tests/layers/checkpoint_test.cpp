#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <utility>

#include <pade/core/gradcheck.h>
#include <pade/core/ops/arithmetic.h>
#include <pade/core/ops/cross_entropy.h>
#include <pade/core/ops/elementwise.h>
#include <pade/core/ops/reduce.h>
#include <pade/core/random.h>
#include <pade/core/storage.h>
#include <pade/core/tape.h>
#include <pade/layers/batch_norm.h>
#include <pade/layers/checkpoint.h>
#include <pade/layers/conv.h>
#include <pade/layers/dropout.h>
#include <pade/layers/flatten.h>
#include <pade/layers/forward_observer.h>
#include <pade/layers/linear.h>
#include <pade/layers/pool.h>
#include <pade/layers/rational.h>
#include <pade/optim/sgd.h>

#include "tests/devices.h"

using namespace pade;

namespace {

using Bits = std::vector<std::vector<float>>;

/// Of its input x: x + branch(x), where x is used twice.
template <class Branch>
struct Residual : Module {
  Branch branch;
  explicit Residual(Branch b) : branch(std::move(b)) {}
  void visit(ModuleVisitor& visitor) override { visitor.child("branch", branch); }
  std::string description() const override { return "Residual"; }

 protected:
  Tensor forward(const Tensor& x) override { return x + branch(x); }
};

/// A buffer that forward both reads and changes.
struct Counting : Module {
  Tensor calls = Tensor::zeros({1});
  void visit(ModuleVisitor& visitor) override { visitor.buffer("calls", calls); }
  std::string description() const override { return "Counting"; }

 protected:
  Tensor forward(const Tensor& x) override {
    const Tensor y = x * (calls + 1.0);
    calls.add_(Tensor::ones({1}).to(calls.device()));
    return y;
  }
};

/// Two residual blocks with all that remembers: running statistics, masks, a counter.
template <class Chain>
Sequential make_network() {
  auto block = [](int64_t channels) {
    return Residual<Chain>(Chain{Conv2d(channels, channels, {.kernel = 3, .padding = 1}),
                                 BatchNorm2d(channels), Rational::hp1(), Dropout(0.2), Counting(),
                                 StochasticDepth(0.4)});
  };
  return Sequential{named("stem", Conv2d(2, 4, {.kernel = 3, .padding = 1})),
                    named("layer1", Chain{block(4), block(4)}),
                    named("layer2", Chain{block(4), MaxPool2d(2)}), named("flatten", Flatten()),
                    named("head", Linear(4 * 4 * 4, 3))};
}

/// Loss, gradients and state of some training steps, in this order.
template <class Chain>
Bits train(Device device, DType dtype = DType::float32) {
  manual_seed(1);
  Sequential network = make_network<Chain>();
  network.to(dtype);
  network.to(device);
  Sgd optimizer(network.parameters(), {.lr = 0.05, .momentum = 0.9});
  Rng rng(2);
  Bits bits;
  auto keep = [&](const Tensor& tensor) {
    bits.push_back(tensor.to(DType::float32).to_vector<float>());
  };
  for (int step = 0; step < 3; ++step) {
    const Tensor images = rng.normal({5, 2, 8, 8}, 0, 1, dtype).to(device);
    const Tensor labels = rng.integers({5}, 0, 3).to(device);
    Tape tape;
    const Tensor loss = cross_entropy(network(images), labels);
    tape.backward(loss);
    keep(loss);
    for (const Parameter& p : network.parameters()) keep(p.tensor.grad());
    optimizer.step();
  }
  for (const auto& [name, tensor] : network.state()) keep(tensor);
  for (const auto& [name, rng] : network.generators())
    bits.push_back({static_cast<float>(rng->counter())});
  return bits;
}

}  // namespace

DEVICE_TEST_CASE("checkpoints, also nested ones, leave the bits of training as they are") {
  const Bits plain = train<Sequential>(device);
  const Bits checkpointed = train<CheckpointedSequential>(device);
  CHECK(plain.size() > 30);
  CHECK(plain == checkpointed);
}

TEST_CASE("a checkpointed Sequential has the names of a plain one") {
  manual_seed(1);
  Sequential plain = make_network<Sequential>(), other = make_network<CheckpointedSequential>();
  const auto a = plain.state(), b = other.state();
  REQUIRE(a.size() == b.size());
  for (size_t i = 0; i < a.size(); ++i) CHECK(a[i].first == b[i].first);
}

DEVICE_TEST_CASE("the gradients of a checkpoint agree with central differences") {
  manual_seed(3);
  CheckpointedSequential block{Linear(4, 5), Rational::hp1(), StochasticDepth(0.3), Linear(5, 4)};
  block.to(DType::float64);
  block.to(device);
  std::vector<Tensor> inputs{Rng(4).normal({6, 4}, 0, 1, DType::float64).to(device)};
  for (const Parameter& p : block.parameters()) inputs.push_back(p.tensor.detach().clone());
  Rng& masks = *block.generators().at(0).second;
  const auto report = gradcheck(
      [&](const std::vector<Tensor>& in) {
        struct Replace : ModuleVisitor {
          const Tensor* next;
          void parameter(const std::string&, Tensor& tensor, ParameterRole, Tensor*) override {
            tensor = *next++;
          }
          void child(const std::string&, Module& module, const ModuleSlot&) override {
            module.visit(*this);
          }
        } replace;
        replace.next = in.data() + 1;
        block.visit(replace);
        masks.set_counter(0);
        return block(in[0]);
      },
      inputs, {.tolerance = 2e-6});
  CHECK_MESSAGE(report.ok, report.message);
}

DEVICE_TEST_CASE("a checkpoint keeps its input only") {
  Sequential plain{Linear(64, 256, {.bias = false})};
  CheckpointedSequential checkpointed{Linear(64, 256, {.bias = false})};
  for (int i = 0; i < 20; ++i)
    for (Sequential* network : {&plain, static_cast<Sequential*>(&checkpointed)})
      network->add(Rational::hp1());
  struct Memory {
    size_t after_forward, peak;
  };
  auto measure = [&](Module& network) {
    network.to(device);
    const Tensor x = Rng(5).normal({100, 64}, 0, 1).to(device);
    const size_t before = allocator_stats(device).bytes_in_use;
    reset_peak_bytes_in_use(device);
    Tape tape;
    const Tensor loss = sum(network(x));
    const size_t after = allocator_stats(device).bytes_in_use - before;
    tape.backward(loss);
    return Memory{after, allocator_stats(device).peak_bytes_in_use - before};
  };
  constexpr size_t kResult = 100 * 256 * sizeof(float);  // of each of the 21 layers
  const Memory all = measure(plain), some = measure(checkpointed);
  CHECK(all.after_forward >= 20 * kResult);
  CHECK(some.after_forward <= 2 * kResult);
  CHECK(some.peak >= 20 * kResult);  // one block: everything is there once again in backward

  // Five blocks of four: one block's results at a time.
  Sequential blocks{Linear(64, 256, {.bias = false})};
  for (int i = 0; i < 5; ++i)
    blocks.add(
        CheckpointedSequential{Rational::hp1(), Rational::hp1(), Rational::hp1(), Rational::hp1()});
  CHECK(measure(blocks).peak <= 15 * kResult);
  CHECK(all.peak >= 20 * kResult);
}

TEST_CASE("gradients that come from several sides are added in the order of a plain run") {
  // Numbers of such different sizes that the order of the additions shows.
  auto run = [](bool checkpointed) {
    manual_seed(9);
    Tensor x = Rng(6).normal({1000}, 0, 1).requires_grad_();
    Linear shared(1, 1);
    auto part = [](const Tensor& in) { return exp(in) * in + tanh(in * 3.0) * 1e3 - in * 1e-3; };
    Tape tape;
    const Tensor before = x * 0.7;
    const Tensor column = x.reshape({1000, 1});
    auto twice = [&](const Tensor& in) {
      return shared(part(in)) * 1e2 + shared(in) - shared(in * in);
    };
    const Tensor inside = checkpointed ? checkpoint(shared, twice, column) : twice(column);
    tape.backward(sum(inside * shared(column)) + sum(x * x * 1e4) + sum(before * x));
    return Bits{x.grad().to_vector<float>(), shared.weight.grad().to_vector<float>(),
                shared.bias.grad().to_vector<float>()};
  };
  CHECK(run(true) == run(false));
}

TEST_CASE("a kept tape computes a checkpoint again each time, and accumulates") {
  CheckpointedSequential block{Linear(3, 3), Dropout(0.5)};
  const Tensor x = Rng(7).normal({8, 3}, 0, 1);
  Tape tape;
  const Tensor loss = sum(block(x));
  tape.backward(loss, {.keep = true});
  const Tensor once = block.parameters()[0].tensor.grad().clone();
  tape.backward(loss, {.accumulate = true});
  CHECK(block.parameters()[0].tensor.grad().to_vector<float>() == (once + once).to_vector<float>());
}

TEST_CASE("a checkpoint without a tape, or without anything to learn, is a plain call") {
  CheckpointedSequential block{Linear(3, 2), StochasticDepth(0.5)};
  Sequential again{Linear(3, 2), StochasticDepth(0.5)};
  for (size_t i = 0; i < 2; ++i)
    again.parameters()[i].tensor.detach().copy_(block.parameters()[i].tensor.detach());
  again.generators()[0].second->operator=(*block.generators()[0].second);
  const Tensor x = Rng(8).normal({4, 3}, 0, 1);
  CHECK(block(x).to_vector<float>() == again(x).to_vector<float>());

  Flatten flatten;
  Tape tape;
  CHECK(checkpoint(flatten, x).to_vector<float>() == x.to_vector<float>());
  CHECK(tape.size() == 0);
}

TEST_CASE("the input's gradient passes a checkpoint that does nothing") {
  Sequential nothing;
  Tensor x = Tensor::ones({3}).requires_grad_();
  Tape tape;
  tape.backward(sum(checkpoint(nothing, x) * 2.0) + sum(x));
  CHECK(x.grad().to_vector<float>() == std::vector<float>{3, 3, 3});
}

TEST_CASE("an observer sees a checkpoint once, and the state is back even after an error") {
  Sequential network{named("block", CheckpointedSequential{named("count", Counting())})};
  Tensor x = Tensor::ones({2}).requires_grad_();
  std::vector<std::string> seen;
  const ForwardObserver observer([&](const std::string& path, Module&, const Tensor&,
                                     const Tensor&) { seen.push_back(path); });
  {
    Tape tape;
    const Tensor loss = sum(network(x));
    CHECK(tape.size() == 2);
    tape.backward(loss);
  }
  CHECK(seen == std::vector<std::string>{"block.count", "block", ""});
  CHECK(network.state()[0].second.item() == 1);

  Counting counting;
  bool fails = false;
  Tape tape;
  const Tensor y = checkpoint(
      counting,
      [&](const Tensor& in) {
        const Tensor out = counting(in);
        check(!fails, "fails the second time");
        return out;
      },
      x);
  fails = true;
  CHECK_THROWS_WITH_AS(tape.backward(sum(y)), doctest::Contains("fails the second time"), Error);
  CHECK(counting.calls.item() == 1);
}

TEST_CASE("anomalies and errors inside a checkpoint name the module as they do outside") {
  struct Root : Module {  // of 0, whose derivative is infinite
    std::string description() const override { return "Root"; }
    Tensor forward(const Tensor& x) override { return sqrt(x); }
  };
  auto message = [](auto network) {
    const Tensor x = Tensor::zeros({1, 2}).requires_grad_();
    try {
      const Anomaly anomaly;
      Tape tape;
      tape.backward(sum(network(x)));
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("nothing was thrown");
  };
  const std::string plain =
      message(Sequential{named("outer", Sequential{named("inner", Sequential{Root()})})});
  const std::string nested = message(Sequential{
      named("outer", CheckpointedSequential{named("inner", CheckpointedSequential{Root()})})});
  CHECK(plain.ends_with("holds NaN or infinity in outer.inner.0"));
  CHECK(nested == plain);
}

TEST_CASE("a block in another mode, or with other weights, than when it ran is an error") {
  CheckpointedSequential block{Linear(2, 2), Dropout(0.5)};
  const Tensor x = Tensor::ones({1, 2});
  {
    Tape tape;
    const Tensor loss = sum(block(x));
    block.eval();
    CHECK_THROWS_WITH_AS(tape.backward(loss), doctest::Contains("between train and eval mode"),
                         Error);
  }
  block.train();
  Tape tape;
  const Tensor loss = sum(block(x));
  {
    const NoGrad outside;
    Tensor weight = block.parameters()[0].tensor.detach();
    weight.mutable_data<float>()[0] = 5;
  }
  CHECK_THROWS_WITH_AS(tape.backward(loss), doctest::Contains("was changed in place"), Error);
}
