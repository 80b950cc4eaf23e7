#pragma once

#include <string>

#include <pade/layers/module.h>

namespace pade {

/// [N, …] → [N, everything else], sharing storage.
class Flatten : public Module {
 public:
  std::string description() const override { return "Flatten"; }

 protected:
  Tensor forward(const Tensor& x) override;
};

}  // namespace pade
