#include "support/evaluate.h"

#include <pade/core/ops/cross_entropy.h>
#include <pade/data/loader.h>

#include "support/interrupt.h"

namespace pade::support {

Evaluation evaluate(Module& network, const data::Dataset& dataset, Device device,
                    std::optional<int64_t> limit) {
  network.eval();
  Totals totals;
  for (auto [images, labels] :
       data::Loader(dataset, {.batch_size = 500, .limit = limit, .device = device})) {
    if (interrupted()) break;
    const Tensor logits = network(images);  // no tape in scope: nothing is recorded
    totals.add(cross_entropy(logits, labels), logits, labels);
  }
  network.train();
  return totals.mean();
}

}  // namespace pade::support
