#include <pade/core/kernels/kernels.h>

namespace pade::cuda {

// Each is in the file of that name.
void add_augment(Kernels& kernels);
void add_batch_norm(Kernels& kernels);
void add_broadcast(Kernels& kernels);
void add_conv2d(Kernels& kernels);
void add_cross_entropy(Kernels& kernels);
void add_elementwise(Kernels& kernels);
void add_matmul(Kernels& kernels);
void add_pool(Kernels& kernels);
void add_random(Kernels& kernels);
void add_reduce(Kernels& kernels);
void add_tensor(Kernels& kernels);
void add_update(Kernels& kernels);

const Kernels& kernels() {
  static const Kernels table = [] {
    Kernels kernels;
    for (const auto add :
         {add_augment, add_batch_norm, add_broadcast, add_conv2d, add_cross_entropy,
          add_elementwise, add_matmul, add_pool, add_random, add_reduce, add_tensor, add_update})
      add(kernels);
    return kernels;
  }();
  return table;
}

}  // namespace pade::cuda
