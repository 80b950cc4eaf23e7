#include <pade/core/error.h>
#include <pade/core/least_squares.h>

// LAPACK, which OpenBLAS contains.
extern "C" void dgels_(const char* trans, const int* m, const int* n, const int* nrhs, double* a,
                       const int* lda, double* b, const int* ldb, double* work, const int* lwork,
                       int* info);

namespace pade {

std::vector<double> least_squares(std::vector<double> a, std::vector<double> b, int columns) {
  const int rows = static_cast<int>(b.size()), one = 1;
  check(columns >= 1 && rows >= columns && a.size() == b.size() * static_cast<size_t>(columns),
        "least_squares: ", rows, " equations for ", columns, " unknowns");
  const int work_size = 64 * columns;
  std::vector<double> work(work_size);
  int info = 0;
  dgels_("N", &rows, &columns, &one, a.data(), &rows, b.data(), &rows, work.data(), &work_size,
         &info);
  check(info == 0, "least_squares: the columns are linearly dependent");
  b.resize(columns);
  return b;
}

}  // namespace pade
