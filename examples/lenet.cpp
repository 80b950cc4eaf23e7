// LeNet with a learned activation on small images, top to bottom
// (Fashion-MNIST, MNIST, CIFAR-10 and -100, a folder of your own).

#include <pade/pade.h>

#include "models/models.h"
#include "support/command.h"
#include "support/evaluate.h"
#include "support/interrupt.h"
#include "support/optimizer.h"
#include "support/options.h"
#include "support/pretrained.h"
#include "support/ranks.h"
#include "support/splits.h"
#include "support/training_run.h"

using namespace pade;
using namespace pade::support;

namespace {

int train(const TrainingOptions& given) {
  Communicator& ranks = Communicator::world();
  const TrainingOptions options = options_of_rank(given, ranks);
  if (options.threads > 0) set_num_threads(options.threads);
  allow_winograd(!options.no_winograd);
  if (options.kernels != "default") choose_kernels(kernel_choice_named(options.kernels));
  manual_seed(options.seed);
  const Device device = device_named(options.device);
  require_available(device);
  const data::DatasetSplits splits = open_splits(options);
  const auto& [training_set, test_set] = splits;
  check_ranks_agree("lenet", options, splits, ranks);

  const Shape image = training_set->image_shape();  // [channels, height, width]
  Sequential network = models::make_model(options.model, options.activation,
                                          training_set->num_classes(), options.width, image);
  // Runs it once: what does not fit its channels is refused before a run folder is made.
  summary(network, {1, image[0], image[1], image[2]});
  network.to(device);
  start_from_pretrained(network, options, splits, device);
  const std::vector<Parameter> parameters = network.parameters();
  const auto optimizer = make_optimizer(options, parameters);
  const Schedule schedule = make_schedule(options);
  data::Loader loader(*training_set, {.batch_size = options.batch_size,
                                      .shuffle = true,
                                      .seed = options.seed,
                                      .drop_last = options.drop_last,
                                      .limit = options.limit,
                                      .device = device,
                                      .ranks = ranks.size(),
                                      .rank = ranks.rank(),
                                      .parts = options.accumulate});

  if (options.dry_run) return print_options(options);
  if (options.sync_batch_norm) share_batch_statistics(network, ranks);
  DataParallel parallel(network, ranks);
  TrainingRun run("lenet", options, {network, *optimizer}, loader, parallel);
  while (run.begin_epoch()) {
    for (auto [images, labels] : loader) {
      optimizer->set_lr_factor(schedule.factor(run.epochs_done()));
      Tape tape;
      const Tensor logits = network(images);
      const Tensor loss = cross_entropy(logits, labels);
      parallel.backward(tape, loss, loader.part());
      if (loader.part().last) {
        run.require_finite(limit_gradients(options, parameters), images, labels);
        optimizer->step();
      }
      if (!run.step(loss, logits, labels)) return kExitInterrupted;
    }
    const bool tested =
        run.end_epoch([&] { return evaluate(network, *test_set, device, options.test_limit); });
    if (!tested) return kExitInterrupted;
  }
  run.finish();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Trains LeNet with a learned activation and leaves a run folder behind.", "lenet");
  app.footer(examples_text({{"", "HP-1 on Fashion-MNIST, ten epochs"},
                            {"--activation relu --seed 2", "the usual activation, another seed"},
                            {"--activation opau:basis=legendre,degrees=3/2,init=gelu", ""},
                            {"--resume runs/…", "go on where a run was stopped"}}));
  TrainingOptions options;
  add_training_flags(app, options, data::dataset_names());
  return run_program(app, argc, argv, [&] {
    if (options.info) return print_info();
    return train(resumed_options(app, "lenet", options));
  });
}
