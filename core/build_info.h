#pragma once

#include <string>

namespace pade {

/// What this binary was made from: for run records and bug reports.
struct BuildInfo {
  std::string version;   ///< of Padé
  std::string commit;    ///< of the source tree when it was configured; "unknown" outside git
  std::string compiler;  ///< and its target: `GNU 12.2.0, Release, native, for x86-64 with AVX-512`
  std::string blas;      ///< OpenBLAS's own description, with the kernels it chose here
  std::string cuda;      ///< the toolkit and targets, as `13.0.88 for 80-real,90-real`; or "none"
};
BuildInfo build_info();

}  // namespace pade
