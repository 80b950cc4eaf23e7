#include <array>
#include <ostream>

#include <pade/core/device.h>
#include <pade/core/error.h>
#include <pade/core/names.h>

namespace pade {

const char* name_of(Device device) { return device == Device::cpu ? "cpu" : "cuda"; }

Device device_named(std::string_view name) {
  return value_named("device", name, std::array{Device::cpu, Device::cuda});
}

std::ostream& operator<<(std::ostream& out, Device device) { return out << name_of(device); }

void require_available(Device device) {
  check(device == Device::cpu || kHasCuda, "device cuda: this version of Padé has no GPU kernels");
}

}  // namespace pade
