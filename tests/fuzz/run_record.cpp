// The run.json of a run that goes on, or whose network is used again; somebody may have edited it.
// What is taken is in order.

#include <filesystem>
#include <fstream>
#include <iostream>

#include <pade/data/open_dataset.h>

#include "fuzz.h"
#include "support/options.h"
#include "support/run_folder.h"
#include "support/trained_run.h"

using namespace pade;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const fuzz::TemporaryFile folder("run");
  std::cerr.rdbuf(nullptr);  // warnings that another build goes on with the run
  std::filesystem::create_directories(folder.path());
  std::ofstream(folder.path() / "run.json", std::ios::binary) << fuzz::text_of(data, size);

  CLI::App app;
  support::TrainingOptions options;
  support::add_training_flags(app, options, data::dataset_names());
  options.resume = folder.path();
  fuzz::accepts([&] {
    const support::TrainingOptions resumed = support::resumed_options(app, "lenet", options);
    fuzz::require(resumed.epochs >= 1 && resumed.batch_size >= 1 && resumed.threads >= 0 &&
                      resumed.lr >= 0 && resumed.clip >= 0,
                  "options of a run are in the range of their flags");
    fuzz::require(resumed.schedule == "constant" || resumed.schedule == "cosine" ||
                      resumed.schedule == "step",
                  "there is such a schedule");
  });

  static const SafetensorsFile weights{
      "last",
      {{"conv1.weight", Tensor::zeros({6, 1, 5, 5})}, {"fc3.weight", Tensor::zeros({10, 84})}},
      {}};
  fuzz::accepts([&] {
    const support::TrainedRun run = support::read_trained_run(folder.path(), weights);
    fuzz::require(run.images.class_names.size() == 10, "every class has a name");
    fuzz::require(run.images.image_shape.size() <= 1 << 30, "images are small");
    fuzz::require(run.width.value_or(6) == 6, "the width is that of the weights");
  });
  return 0;
}
