#include "support/evaluate.h"

#include <pade/core/distributed/communicator.h>
#include <pade/core/ops/cross_entropy.h>
#include <pade/data/loader.h>

#include "support/interrupt.h"

namespace pade::support {

Evaluation evaluate(Module& network, const data::Dataset& dataset, Device device,
                    std::optional<int64_t> limit) {
  network.eval();
  Communicator& ranks = Communicator::world();
  data::Loader loader(dataset, {.batch_size = 500 * ranks.size(),
                                .limit = limit,
                                .device = device,
                                .ranks = ranks.size(),
                                .rank = ranks.rank()});
  Totals totals;
  for (auto [images, labels] : loader) {
    if (interrupted()) break;
    if (loader.part().share == 0) continue;
    const Tensor logits = network(images);  // no tape in scope: nothing is recorded
    totals.add(cross_entropy(logits, labels), logits, labels);
  }
  network.train();
  return totals.over(ranks).mean();
}

}  // namespace pade::support
