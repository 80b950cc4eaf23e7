#pragma once

#include <string>

#include <pade/layers/init.h>
#include <pade/layers/module.h>

namespace pade {

struct LinearOptions {
  bool bias = true;
  Init init = Init::pytorch;
};

/// y = x · weightᵀ + bias: […, in] → […, out], usually [N, in] → [N, out]. weight [out, in], bias
/// [out].
class Linear : public Module {
 public:
  Linear(int64_t in, int64_t out, LinearOptions options = {});

  void visit(ModuleVisitor& visitor) override;
  std::string description() const override;

  Tensor weight, bias;  ///< bias is undefined when there is none

 protected:
  Tensor forward(const Tensor& x) override;
};

}  // namespace pade
