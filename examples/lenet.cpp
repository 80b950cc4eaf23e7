// LeNet with a learned activation on Fashion-MNIST or MNIST: the whole program, top to bottom.

#include <pade/pade.h>

#include "support/interrupt.h"
#include "support/optimizer.h"
#include "support/options.h"
#include "support/training_run.h"

using namespace pade;
using namespace pade::support;

namespace {

/// LeNet-5 (LeCun et al. 1998) with max-pooling: 1×28×28 → 6×28×28 → 6×14×14 → 16×10×10 → 16×5×5 →
/// 120 → 84 → 10.
Sequential make_lenet(const std::string& activation) {
  return Sequential{named("conv1", Conv2d(1, 6, {.kernel = 5, .padding = 2})),
                    named("act1", make_activation(activation, 6)),
                    named("pool1", MaxPool2d(2)),
                    named("conv2", Conv2d(6, 16, {.kernel = 5})),
                    named("act2", make_activation(activation, 16)),
                    named("pool2", MaxPool2d(2)),
                    named("flatten", Flatten()),
                    named("fc1", Linear(400, 120)),
                    named("act3", make_activation(activation, 120)),
                    named("fc2", Linear(120, 84)),
                    named("act4", make_activation(activation, 84)),
                    named("fc3", Linear(84, 10))};
}

Evaluation evaluate(Module& network, const data::Dataset& dataset, Device device) {
  network.eval();
  Totals totals;
  for (auto [images, labels] : data::Loader(dataset, {.batch_size = 500, .device = device})) {
    const Tensor logits = network(images);  // no tape in scope: nothing is recorded
    totals.add(cross_entropy(logits, labels), logits, labels);
  }
  network.train();
  return totals.mean();
}

int train(const TrainingOptions& options) {
  if (options.threads > 0) set_num_threads(options.threads);
  manual_seed(options.seed);
  const Device device = device_named(options.device);
  require_available(device);
  const auto training_set = data::open_dataset(options.dataset, data::Split::train, options.data);
  const auto test_set = data::open_dataset(options.dataset, data::Split::test, options.data);

  Sequential network = make_lenet(options.activation);
  network.to(device);
  const std::vector<Parameter> parameters = network.parameters();
  const auto optimizer = make_optimizer(options, parameters);
  const Schedule schedule = make_schedule(options);
  data::Loader loader(*training_set, {.batch_size = options.batch_size,
                                      .shuffle = true,
                                      .seed = options.seed,
                                      .limit = options.limit,
                                      .device = device});

  TrainingRun run("lenet", options, network, *optimizer, loader);
  while (run.begin_epoch()) {
    for (auto [images, labels] : loader) {
      optimizer->set_lr_factor(schedule.factor(run.epochs_done()));
      Tape tape;
      const Tensor logits = network(images);
      const Tensor loss = cross_entropy(logits, labels);
      tape.backward(loss);
      const double norm =
          options.clip > 0 ? clip_grad_norm(parameters, options.clip) : grad_norm(parameters);
      run.require_finite(norm, images, labels);
      optimizer->step();
      if (!run.step(loss, logits, labels)) return kExitInterrupted;
    }
    run.end_epoch([&] { return evaluate(network, *test_set, device); });
  }
  run.finish();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Trains LeNet with a learned activation and leaves a run folder behind.", "lenet");
  app.footer(
      "Examples:\n"
      "  lenet                                     HP-1 on Fashion-MNIST, ten epochs\n"
      "  lenet --activation relu --seed 2          the usual activation, another seed\n"
      "  lenet --activation opau:basis=legendre,degrees=3/2,init=gelu\n"
      "  lenet --resume runs/…                     go on where a run was stopped");
  TrainingOptions options;
  add_training_flags(app, options);
  return run_program(app, argc, argv, [&] {
    if (options.info) return print_info();
    catch_interrupts();
    return train(resumed_options(app, options));
  });
}
