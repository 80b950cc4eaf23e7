// Whole training steps. "peak MiB" is what is in use at once, parameters and their memories
// included.
#include "lenet.h"
#include "models/models.h"
#include "suite.h"

namespace pade::bench {

void add_networks(int64_t batch) {
  for (const std::string activation : {"relu", "hp1"}) {
    add_work("network/lenet/" + activation + "/" + extents({batch, 1, 28, 28}), {}, [=] {
      return training_step([=] { return lenet(activation); }, {batch, 1, 28, 28});
    });
    for (const std::string model : {"preactresnet34", "mobilenetv2", "efficientnet-b0"})
      add_work("network/" + model + "/" + activation + "/" + extents({batch, 3, 32, 32}), {}, [=] {
        return training_step([=] { return models::make_model(model, activation, 10); },
                             {batch, 3, 32, 32});
      });
  }
}

}  // namespace pade::bench
