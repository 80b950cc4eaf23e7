#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <iostream>

#include <pade/core/device.h>

int main(int argc, char** argv) {
  doctest::Context context(argc, argv);
  const std::string no_gpu = pade::why_unavailable(pade::Device::cuda);
  if (!no_gpu.empty()) {
    context.addFilter("test-case-exclude", "*[cuda]");
    std::cout << "Tests on cuda are left out: " << no_gpu << '\n';
  }
  return context.run();
}
