// The run.json of a run that goes on, which somebody may have edited. What is taken is in order.

#include <filesystem>
#include <fstream>
#include <iostream>

#include <pade/data/open_dataset.h>

#include "fuzz.h"
#include "support/options.h"
#include "support/run_folder.h"

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
  return 0;
}
