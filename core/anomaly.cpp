#include <algorithm>
#include <cmath>

#include <pade/core/anomaly.h>
#include <pade/core/error.h>

namespace pade {
namespace {

thread_local bool anomaly_enabled = false;

}  // namespace

Anomaly::Anomaly() : outer_(anomaly_enabled) { anomaly_enabled = true; }
Anomaly::~Anomaly() { anomaly_enabled = outer_; }
bool Anomaly::enabled() { return anomaly_enabled; }

void Anomaly::inspect(const Tensor& tensor, const char* op, const char* what) {
  if (!tensor.defined() || !is_floating(tensor.dtype())) return;
  const Tensor here = tensor.detach().to(Device::cpu);
  const bool finite = dispatch_floating(here.dtype(), op, [&](auto zero) {
    const auto* first = here.data<decltype(zero)>();
    return std::all_of(first, first + here.size(), [](auto x) { return std::isfinite(x); });
  });
  check(finite, "anomaly: the ", what, " of ", op, " (shape ", tensor.shape(),
        ") holds NaN or infinity");
}

}  // namespace pade
