#pragma once

#include <string>

#include <pade/layers/module.h>

namespace pade {

/// [N, …] → [N, everything else], sharing storage.
struct Flatten : Module {
  std::string description() const override { return "Flatten"; }

 protected:
  Tensor forward(const Tensor& x) override {
    check(x.rank() >= 1, "Flatten: expected a batch, got a tensor of rank 0");
    return x.reshape(Shape{x.extent(0), x.shape().size_from(1)});
  }
};

}  // namespace pade
