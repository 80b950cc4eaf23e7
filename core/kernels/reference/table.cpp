#include <pade/core/kernels/kernels.h>

namespace pade::reference {

// Each is in the file of that name.
void add_batch_norm(Kernels& kernels);
void add_elementwise(Kernels& kernels);
void add_elements(Kernels& kernels);
void add_products(Kernels& kernels);
void add_training(Kernels& kernels);

const Kernels& kernels() {
  static const Kernels table = [] {
    Kernels kernels;
    for (const auto add :
         {add_batch_norm, add_elementwise, add_elements, add_products, add_training})
      add(kernels);
    return kernels;
  }();
  return table;
}

}  // namespace pade::reference
