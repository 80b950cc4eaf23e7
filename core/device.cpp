#include <array>
#include <atomic>
#include <ostream>

#include <pade/core/device.h>
#include <pade/core/device_choice.h>
#include <pade/core/did_you_mean.h>
#include <pade/core/error.h>
#include <pade/core/kernels/cuda/runtime.h>

namespace pade {
namespace {

std::atomic<bool> tf32{false};

}  // namespace

const char* name_of(Device device) { return device == Device::cpu ? "cpu" : "cuda"; }

Device device_named(std::string_view name) {
  return value_named("device", name, std::array{Device::cpu, Device::cuda});
}

std::ostream& operator<<(std::ostream& out, Device device) { return out << name_of(device); }

std::string why_unavailable(Device device) {
  if (device == Device::cpu) return "";
  if constexpr (kHasCuda)
    return cuda::why_unavailable();
  else
    return "this Padé was built without CUDA; configure with -DPADE_CUDA=ON";
}

void require_available(Device device) {
  if (device == Device::cpu) return;
  const std::string reason = why_unavailable(device);
  check(reason.empty(), "device ", device, ": ", reason);
}

std::string describe_gpu() {
  const std::string reason = why_unavailable(Device::cuda);
  if constexpr (kHasCuda)
    if (reason.empty()) return cuda::describe();
  return "none: " + reason;
}

void synchronize(Device device) {
  if (device == Device::cpu) return;
  require_available(device);
  if constexpr (kHasCuda) cuda::synchronize();
}

void allow_tf32(bool allowed) { tf32 = allowed; }
bool tf32_allowed() { return tf32; }

}  // namespace pade
