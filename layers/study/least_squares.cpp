#include <pade/core/error.h>
#include <pade/layers/study/least_squares.h>

// LAPACK, which OpenBLAS contains.
extern "C" void dgels_(const char* trans, const int* m, const int* n, const int* nrhs, double* a,
                       const int* lda, double* b, const int* ldb, double* work, const int* lwork,
                       int* info);
extern "C" void dgeqrf_(const int* m, const int* n, double* a, const int* lda, double* tau,
                        double* work, const int* lwork, int* info);

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

TriangularSystem triangular_system(std::vector<double> a, const std::vector<double>& b,
                                   int columns) {
  const int rows = static_cast<int>(b.size()), all = columns + 1;
  check(columns >= 1 && rows > columns && a.size() == b.size() * static_cast<size_t>(columns),
        "triangular_system: ", rows, " equations for ", columns, " unknowns");
  a.insert(a.end(), b.begin(), b.end());
  const int work_size = 64 * all;
  std::vector<double> work(work_size), tau(all);
  int info = 0;
  dgeqrf_(&rows, &all, a.data(), &rows, tau.data(), work.data(), &work_size, &info);
  check(info == 0, "triangular_system: dgeqrf says ", info);
  TriangularSystem system{std::vector<double>(columns * columns, 0), std::vector<double>(columns)};
  for (int j = 0; j < columns; ++j)
    for (int i = 0; i <= j; ++i) system.r[j * columns + i] = a[static_cast<size_t>(j) * rows + i];
  for (int i = 0; i < columns; ++i) system.u[i] = a[static_cast<size_t>(columns) * rows + i];
  return system;
}

}  // namespace pade
