// The machine's limits, and OpenBLAS' products, which are no limit but a neighbour.
#include <utility>

#include <pade/core/kernels/cpu/blas.h>
#include <pade/core/parallel.h>

#include "suite.h"

namespace pade::bench {
namespace {

/// [rows, inner] times [inner, columns] on every thread, each with a result of its own.
struct Product {
  const char* what;
  int64_t rows, columns, inner;

  Cost cost() const {
    const double threads = num_threads();
    return {2. * static_cast<double>(rows) * static_cast<double>(columns) *
                static_cast<double>(inner) * threads,
            floats(rows * inner + inner * columns + rows * columns) * threads};
  }

  Work work() const {
    const Tensor a = random_numbers({rows, inner}), b = random_numbers({inner, columns});
    Tensor c = Tensor::zeros({num_threads(), rows, columns});
    return [=, product = *this]() mutable {
      float* results = c.mutable_data<float>();
      parallel_blocks(c.extent(0), [&](int64_t thread) {
        blas::gemm<float>(false, false, product.rows, product.columns, product.inner, 1,
                          a.data<float>(), product.inner, b.data<float>(), product.columns, 0,
                          results + thread * product.rows * product.columns, product.columns);
      });
    };
  }
};

constexpr Product kProducts[] = {
    {"square", 256, 256, 256},         {"square", 1024, 1024, 1024},
    {"lenet_conv1", 6, 784, 25},       {"lenet_conv2", 16, 100, 150},
    {"lenet_fc1", 128, 120, 400},      {"resnet_3x3_64", 64, 1024, 576},
    {"resnet_3x3_512", 512, 16, 4608}, {"mobilenet_1x1", 144, 1024, 24},
};

}  // namespace

void add_limits() {
  constexpr int64_t kCount = 1 << 16;
  add_work(
      "limits/multiply_add", {flops_of_fused_multiply_adds(kCount), 0},
      [] { return fused_multiply_adds(kCount); }, true);
  // Read and written together, by each thread.
  const std::pair<const char*, int64_t> sizes[] = {
      {"16KiB", 16 << 10}, {"512KiB", 512 << 10}, {"8MiB", 8 << 20}, {"256MiB", 256 << 20}};
  for (const auto& [name, bytes] : sizes)
    for (const bool streaming : {false, true})
      add_work(
          std::string(streaming ? "limits/copy_streaming/" : "limits/copy/") + name,
          {0, bytes_of_copies(bytes)}, [=, size = bytes] { return copies(size, streaming); }, true);
  for (const Product& product : kProducts)
    add_work(std::string("limits/sgemm/") + product.what + "/" +
                 extents({product.rows, product.columns, product.inner}),
             product.cost(), [product] { return product.work(); });
}

}  // namespace pade::bench
