#include "support/evaluate.h"

#include <algorithm>
#include <deque>

#include <pade/core/distributed/communicator.h>
#include <pade/core/ops/cross_entropy.h>
#include <pade/data/loader.h>

#include "support/interrupt.h"

namespace pade::support {

namespace {

void next(data::Loader::Iterator& batch) { ++batch; }

}  // namespace

Evaluation evaluate(Module& network, const data::Dataset& dataset, Device device,
                    std::optional<int64_t> limit, const std::vector<TestView>& views) {
  network.eval();
  Communicator& ranks = Communicator::world();
  std::deque<data::Loader> loaders;  // where they stay: iterators know them
  std::vector<data::Loader::Iterator> batches;
  for (const TestView& view : views)
    batches.push_back(
        loaders
            .emplace_back(dataset, data::LoaderOptions{.batch_size = 500 * ranks.size(),
                                                       .limit = limit,
                                                       .device = device,
                                                       .augment = view.transforms,
                                                       .augment_on_device = true,
                                                       .ranks = ranks.size(),
                                                       .rank = ranks.rank()})
            .begin());
  Totals totals;
  for (; batches[0] != loaders[0].end() && !interrupted(); std::ranges::for_each(batches, next)) {
    if (loaders[0].part().share == 0) continue;
    Tensor logits;
    for (size_t i = 0; i < views.size(); ++i) {
      const Tensor seen = network(batches[i]->images);  // no tape in scope: nothing is recorded
      if (views.size() == 1)
        logits = seen;
      else if (i == 0)
        logits = seen.clone().mul_(views[i].weight);
      else
        logits.add_(seen, views[i].weight);
    }
    const Tensor& labels = batches[0]->labels;
    totals.add(cross_entropy(logits, labels), logits, labels);
  }
  network.train();
  return totals.over(ranks).mean();
}

}  // namespace pade::support
