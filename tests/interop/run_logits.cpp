// What the network of a run folder makes of the first test images of its data set, for
// check_onnx.py: a safetensors file with images, labels and logits.

#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include <pade/pade.h>

#include "onnx/run.h"

using namespace pade;

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() != 3) {
    std::cerr << "usage: run_logits RUN COUNT FILE\n";
    return 2;
  }
  try {
    onnx::TrainedNetwork run = onnx::read_network(arguments[0]);
    const auto& options = run.record.at("options");
    const auto set = data::open_dataset(options.at("dataset").get<std::string>(), data::Split::test,
                                        options.at("data").get<std::string>());
    for (auto [images, labels] : data::Loader(*set, {.batch_size = std::stoll(arguments[1])})) {
      write_safetensors(arguments[2],
                        {{"images", images}, {"labels", labels}, {"logits", run.network(images)}});
      break;
    }
  } catch (const std::exception& error) {
    std::cerr << "run_logits: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
