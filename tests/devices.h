#pragma once

#include <doctest/doctest.h>

#include <pade/core/device.h>

/// A test that runs on every device, from the same lines:
///
///   DEVICE_TEST_CASE("exp of 0 is 1") {
///     const Tensor x = Tensor::zeros({3}).to(device);
///     CHECK(exp(x).at({0}) == 1);
///   }
///
/// makes two test cases, "exp of 0 is 1 [cpu]" and "exp of 0 is 1 [cuda]". The second one is left
/// out where there is no GPU, real or emulated; `pade_tests` says so.
#define DEVICE_TEST_CASE(name) PADE_DEVICE_TEST_CASE(DOCTEST_ANONYMOUS(device_test_), name)
#define PADE_DEVICE_TEST_CASE(function, name)                 \
  static void function(pade::Device device);                  \
  TEST_CASE(name " [cpu]") { function(pade::Device::cpu); }   \
  TEST_CASE(name " [cuda]") { function(pade::Device::cuda); } \
  static void function([[maybe_unused]] pade::Device device)
