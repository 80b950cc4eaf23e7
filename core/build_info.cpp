#include <cblas.h>

#include <pade/core/build_info.h>

namespace pade {

BuildInfo build_info() {
  return {PADE_VERSION, PADE_COMMIT, PADE_COMPILER,
          std::string(openblas_get_config()) + " on " + openblas_get_corename(), PADE_CUDA_TOOLKIT};
}

}  // namespace pade
