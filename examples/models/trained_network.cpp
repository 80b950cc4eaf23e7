#include "models/trained_network.h"

#include <pade/layers/network_file.h>

#include "models/models.h"

namespace pade::models {

Sequential trained_network(const support::TrainedRun& run, const SafetensorsFile& weights) {
  Sequential network = make_model(run.model, run.activation, run.images.num_classes, run.width,
                                  run.images.image_shape);
  adopt_activations(network, weights);
  load_into(network.state(), weights);
  network.eval();
  return network;
}

}  // namespace pade::models
