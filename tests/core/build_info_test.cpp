#include <doctest/doctest.h>

#include <string>

#include <pade/core/build_info.h>

using namespace pade;

TEST_CASE("a build says what processor it was compiled for") {
#if defined(__AVX512F__)
  const std::string processor = "x86-64 with AVX-512";
#elif defined(__x86_64__)
  const std::string processor = "x86-64";
#elif defined(__aarch64__)
  const std::string processor = "aarch64";
#else
  const std::string processor;
#endif
  CAPTURE(build_info().compiler);
  CHECK(build_info().compiler.find(", for " + processor) != std::string::npos);
}
