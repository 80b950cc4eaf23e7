#include "work.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include <pade/core/error.h>
#include <pade/core/ops/cross_entropy.h>
#include <pade/core/parallel.h>
#include <pade/core/random.h>
#include <pade/core/tape.h>
#include <pade/optim/sgd.h>

namespace pade::bench {
namespace {

class TrainingStep {
 public:
  TrainingStep(Sequential network, const Shape& images, Device device)
      : network_(on(device, std::move(network))),
        optimizer_(network_.parameters(), {.lr = 1e-3, .momentum = 0.9}) {
    images_ = random_numbers(images, device);
    labels_ = Rng(0, "labels").integers({images[0]}, 0, 10).to(device);
  }

  void take() {
    Tape tape;
    tape.backward(cross_entropy(network_(images_), labels_));
    optimizer_.step();
  }

 private:
  static Sequential on(Device device, Sequential network) {
    network.to(device);
    return network;
  }

  Sequential network_;
  Sgd optimizer_;
  Tensor images_, labels_;
};

/// batch_norm() may leave its result to whoever asks for it: we do.
Tensor computed(const Tensor& result) {
  result.storage()->data();
  return result;
}

/// A scalar through which `cotangent` comes back as the gradient of x, at no cost.
Tensor with_cotangent(const Tensor& x, const Tensor& cotangent) {
  Tensor loss = Tensor::scalar(0);
  record("with_cotangent", {&x}, loss, {&cotangent},
         [](Gradients& gradients) { gradients.set(0, gradients.saved(0)); });
  return loss;
}

}  // namespace

Tensor random_numbers(const Shape& shape, Device device) {
  const Tensor some = Rng(0, "bench").normal({std::min<int64_t>(shape.size(), 1 << 22)}, 0, 1);
  const Tensor drawn = some.to(device);
  Tensor all = Tensor::empty({shape.size()}, DType::float32, device);
  for (int64_t begin = 0; begin < all.size(); begin += drawn.size()) {
    const int64_t end = std::min(begin + drawn.size(), all.size());
    all.slice(begin, end).copy_(drawn.slice(0, end - begin));
  }
  return all.reshape(shape);
}

Work training_step(const std::function<Sequential()>& make_network, const Shape& images,
                   Device device) {
  manual_seed(0);
  const auto step = std::make_shared<TrainingStep>(make_network(), images, device);
  return [step] { step->take(); };
}

Work copying(int64_t elements, Device device) {
  const Tensor source = random_numbers({elements}, device);
  Tensor destination = Tensor::zeros_like(source);
  if (device == Device::cuda) return [=]() mutable { destination.copy_(source); };
  return [=]() mutable {
    const float* from = source.data<float>();
    float* to = destination.mutable_data<float>();
    // One long run per thread: memcpy then streams past the caches.
    parallel_for(elements, blocks_of(elements, num_threads()), [&](int64_t begin, int64_t end) {
      std::memcpy(to + begin, from + begin, static_cast<size_t>(end - begin) * sizeof(float));
    });
  };
}

Pass pass_named(const std::string& name) {
  if (name == "forward") return Pass::forward;
  check(name == "training", "expected forward or training, got ", name);
  return Pass::training;
}

Work pass_of(std::function<Tensor()> function, Pass pass) {
  if (pass == Pass::forward) return [=] { computed(function()); };
  const Tensor result = function();
  const Tensor cotangent = random_numbers(result.shape(), result.device());
  return [=] {
    Tape tape;
    tape.backward(with_cotangent(computed(function()), cotangent));
  };
}

}  // namespace pade::bench
