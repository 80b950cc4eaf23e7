// The paper's networks on CIFAR-10, CIFAR-100 or a folder of images, top to bottom.

#include <optional>

#include <pade/pade.h>

#include "models/airnet.h"
#include "models/models.h"
#include "support/augment.h"
#include "support/command.h"
#include "support/evaluate.h"
#include "support/interrupt.h"
#include "support/optimizer.h"
#include "support/options.h"
#include "support/pretrained.h"
#include "support/ranks.h"
#include "support/recipe.h"
#include "support/splits.h"
#include "support/training_run.h"

using namespace pade;
using namespace pade::support;

namespace {

/// Those of three channels and 32×32 pixels, which the networks are for.
const std::vector<std::string> kDatasets{"cifar10", "cifar100", "cifar100-coarse"};
/// What is usual for these networks; LeNet has no batch norm to bear such a rate.
constexpr double kLr = 0.1, kLenetLr = 0.02;
/// Epochs: without them MobileNetV2's and EfficientNet-B0's losses rise in the first steps.
constexpr double kWarmUp = 1;

/// The next step leaves the coefficients, and what optimisers remember of them, as they are.
void drop_activation_gradients(std::vector<Parameter>& parameters) {
  for (Parameter& parameter : parameters)
    if (parameter.role == ParameterRole::activation) parameter.tensor.mark_grad_used();
}

/// Of so many training images, the first convolution of an airnet whitens the patches.
constexpr int64_t kWhitened = 5000;

void whiten(Sequential& network, const data::Dataset& training_set) {
  data::Loader loader(training_set, {.batch_size = kWhitened, .limit = kWhitened, .prefetch = 0});
  models::start_whitening(network, loader.begin()->images);
}

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
  check_ranks_agree("cifar", options, splits, ranks);

  Sequential network =
      models::make_model(options.model, options.activation, training_set->num_classes(),
                         options.width, training_set->image_shape());
  // Runs it once: what does not fit its channels is refused before a run folder is made.
  summary(network, {1, 3, 32, 32});
  if (options.model == "airnet") whiten(network, *training_set);
  network.to(device);
  start_from_pretrained(network, options, splits, device);
  std::vector<Parameter> parameters = network.parameters();
  const auto optimizer = make_optimizer(options, parameters);
  const Schedule schedule = make_schedule(options);
  std::optional<WeightAverage> average = make_average(options, network);
  data::Loader loader(*training_set, {.batch_size = options.batch_size,
                                      .shuffle = true,
                                      .seed = options.seed,
                                      .drop_last = options.drop_last,
                                      .limit = options.limit,
                                      .device = device,
                                      .augment = transforms_named(options.augment),
                                      .augment_on_device = true,
                                      .ranks = ranks.size(),
                                      .rank = ranks.rank(),
                                      .parts = options.accumulate});

  if (options.dry_run) return print_options(options);
  if (options.sync_batch_norm) share_batch_statistics(network, ranks);
  DataParallel parallel(network, ranks);
  TrainingRun run("cifar", options, {network, *optimizer, average ? &*average : nullptr}, loader,
                  parallel);
  const int64_t steps = options.epochs * loader.size();
  while (run.begin_epoch()) {
    freeze_parameters(options, network, run.epochs_done());
    for (auto [images, labels] : loader) {
      optimizer->set_lr_factor(schedule.factor(run.epochs_done()));
      Tape tape;
      const Tensor logits = network(images);
      const Tensor loss =
          cross_entropy(logits, labels, {.label_smoothing = options.label_smoothing});
      parallel.backward(tape, loss, loader.part());
      if (loader.part().last) {
        if (run.epochs_done() < options.freeze_activations_until)
          drop_activation_gradients(parameters);
        run.require_finite(limit_gradients(options, parameters), images, labels);
        optimizer->step();
        if (average) update_average(*average, options, run.steps_done() + 1, steps);
      }
      if (!run.step(loss, logits, labels)) return kExitInterrupted;
    }
    const bool tested = run.end_epoch([&, &test_set = test_set] {
      const bool is_last = run.steps_done() == steps;
      return evaluate(network, *test_set, device, options.test_limit,
                      views_named(is_last ? options.test_views : "none"));
    });
    if (!tested) return kExitInterrupted;
  }
  run.finish();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Trains one of the paper's networks with a learned activation and leaves a run folder "
      "behind.",
      "cifar");
  app.footer(
      examples_text(
          {{"", "LeNet with HP-1 on CIFAR-10, thirty epochs"},
           {"--model preactresnet18 --activation hp2 --epochs 200", ""},
           {"--dataset cifar100 --model mobilenetv2 --activation relu --label-smoothing 0.1", ""},
           {"--recipe airbench --activation gelu", "network and recipe of arXiv:2404.00498"},
           {"--dataset photos", "a folder of images, a sub-folder per class"},
           {"--resume runs/…", "go on where a run was stopped"}}) +
      "\nLeNet starts from --lr 0.02, the others from 0.1 with --warm-up 1.");
  TrainingOptions options{.dataset = "cifar10", .epochs = 30, .lr = kLr, .augment = "crop+flip"};
  add_training_flags(app, options, kDatasets);
  add_model_flag(app, options, models::model_names());
  add_regularisation_flags(app, options);
  app.add_option(
         "--recipe", options.recipe,
         "take what is not typed from here: airbench, made for CIFAR-10 in ten epochs, with "
         "--activation gelu (Jordan 2024, arXiv:2404.00498)")
      ->check(one_of(recipe_names(), "recipe"))
      ->capture_default_str();
  return run_program(app, argc, argv, [&] {
    if (options.info) return print_info();
    if (options.resume.empty()) apply_recipe(options.recipe, app);
    if (options.model == "lenet") {
      if (app.count("--lr") == 0) options.lr = kLenetLr;
    } else if (app.count("--warm-up") == 0) {
      options.warm_up = kWarmUp;
    }
    return train(resumed_options(app, "cifar", options));
  });
}
