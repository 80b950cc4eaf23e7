#include <atomic>
#include <cstdlib>
#include <string_view>

#include <pade/core/device_choice.h>
#include <pade/core/error.h>
#include <pade/core/kernel_choice.h>
#include <pade/core/kernels/kernels.h>

namespace pade {
namespace {

std::atomic<KernelChoice>& choice() {
  static std::atomic<KernelChoice> choice = [] {
    const char* asked = std::getenv("PADE_KERNELS");
    return asked ? kernel_choice_named(asked) : KernelChoice::fast;
  }();
  return choice;
}

}  // namespace

KernelChoice kernel_choice_named(std::string_view name) {
  if (name == "reference") return KernelChoice::reference;
  check(name == "fast", "there are no kernels \"", name, "\"; there are: fast, reference");
  return KernelChoice::fast;
}

KernelChoice kernel_choice() { return choice(); }
void choose_kernels(KernelChoice chosen) { choice() = chosen; }

const Kernels& kernels_of([[maybe_unused]] const Tensor& x) {
  if constexpr (kHasCuda)
    if (x.on_cuda()) return cuda::kernels();
  return kernel_choice() == KernelChoice::fast ? cpu::kernels() : reference::kernels();
}

}  // namespace pade
