// Writes a network of examples/models to a safetensors file, or computes logits from one, for
// check_pytorch.py.

#include <iostream>

#include <pade/pade.h>

#include "models/models.h"

using namespace pade;

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
    Sequential network = models::make_model(arguments[1], arguments[2], 10);
    if (writes) {
      network(Rng(2).normal({4, 3, 32, 32}, 0, 1));  // running statistics that are no round numbers
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
