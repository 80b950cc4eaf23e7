#include <cblas.h>

#include <pade/core/build_info.h>

namespace pade {
namespace {

/// What the compiler was told to expect of the processor, by -march or otherwise.
constexpr const char* kProcessor =
#if defined(__AVX512F__)
    "x86-64 with AVX-512";
#elif defined(__AVX2__) && defined(__FMA__)
    "x86-64 with AVX2 and FMA";
#elif defined(__AVX__)
    "x86-64 with AVX";
#elif defined(__x86_64__)
    "x86-64";
#elif defined(__ARM_FEATURE_SVE)
    "aarch64 with SVE";
#elif defined(__aarch64__)
    "aarch64";
#else
    PADE_SYSTEM_PROCESSOR;
#endif

}  // namespace

BuildInfo build_info() {
  return {PADE_VERSION, PADE_COMMIT, std::string(PADE_COMPILER ", for ") + kProcessor,
          std::string(openblas_get_config()) + " on " + openblas_get_corename(), PADE_CUDA_TOOLKIT};
}

}  // namespace pade
