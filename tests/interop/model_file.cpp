// Writes a network of examples/models or of torchvision_networks.h to a safetensors file, or
// computes logits from one, for check_pytorch.py.

#include <iostream>

#include <pade/pade.h>

#include "models/models.h"
#include "torchvision_networks.h"

using namespace pade;

namespace {

Sequential make_network(const std::string& model, const std::string& activation) {
  if (model == "torchvision.resnet18" && activation == "relu") return torchvision::resnet18();
  if (model == "torchvision.mobilenet_v2" && activation == "relu6")
    return torchvision::mobilenet_v2();
  return models::make_model(model, activation, 10);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const bool writes = arguments.size() == 4 && arguments[0] == "write";
  const bool computes = arguments.size() == 6 && arguments[0] == "logits";
  if (!writes && !computes) {
    std::cerr << "usage: model_file write MODEL ACTIVATION FILE\n"
                 "       model_file logits MODEL ACTIVATION FILE IMAGES-FILE LOGITS-FILE\n";
    return 2;
  }
  try {
    manual_seed(1);
    Sequential network = make_network(arguments[1], arguments[2]);
    if (writes) {
      // Running statistics that are nearly those of what comes: with others, a deep network has
      // nearly the same logits for all images.
      const Tensor images = Rng(2).normal({4, 3, 32, 32}, 0, 1);
      for (int pass = 0; pass < 20; ++pass) network(images);
      save_network(arguments[3], network);
    } else {
      load_network(arguments[3], network);
      network.eval();
      write_safetensors(arguments[5],
                        {{"logits", network(read_safetensors(arguments[4]).at("images"))}});
    }
  } catch (const Error& error) {
    std::cerr << "model_file: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
