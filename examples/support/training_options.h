#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace pade::support {

/// What every training program can be told; the values here are the defaults of `lenet`.
struct TrainingOptions {
  std::string recipe = "none";  ///< where flags come from that were not typed
  std::string model = "lenet";
  std::optional<int64_t> width;  ///< of a PreActResNet's first stage; its usual one when not given
  std::string dataset = "fashion-mnist";
  std::string activation = "hp1";
  std::string weights;                     ///< file to start from; empty: as the layers start
  std::optional<std::string> rationalise;  ///< SPEC of what then replaces every activation
  std::string train = "all";               ///< or activations: their coefficients alone
  std::string data;                        ///< folder; empty: look for it, fetch it
  int64_t epochs = 10;
  int64_t batch_size = 128;  ///< of all ranks together
  bool drop_last = false;    ///< leave out a last batch that is not full
  int64_t accumulate = 1;    ///< parts of each rank's share of a batch
  bool sync_batch_norm = false;
  std::string optimizer = "sgd";
  double lr = 0.02;
  double momentum = 0.9;
  bool nesterov = false;
  double weight_decay = 5e-4;
  std::string lr_factors;   ///< as numbers_by_name() has them
  std::string learn_until;  ///< and so the epochs in which these learn
  std::string schedule = "cosine";
  double warm_up = 0;  ///< epochs at the start in which the rates rise from 0
  std::string activation_optimizer = "adam";  ///< of the activations' coefficients; or same
  std::optional<double> activation_lr;        ///< as kActivationLr has it; with same, lr
  double clip = 5;                            ///< see limit_gradients(); 0: no limit
  std::string augment = "none";               ///< see augment.h
  std::string test_views = "none";            ///< as views_named() has them
  double label_smoothing = 0;                 ///< as in CrossEntropyOptions
  double average = 0;     ///< decay of a WeightAverage that is tested and kept; 0: none
  int64_t lookahead = 0;  ///< steps between those in which one pulls the weights back; 0: none
  double freeze_activations_until = 0;  ///< epochs at the start in which no coefficient is learned
  uint64_t seed = 1;
  int threads = 0;                  ///< 0: all processors
  bool no_winograd = false;         ///< see allow_winograd()
  std::string kernels = "default";  ///< or as kernel_choice_named() has them
  std::string device = "cpu";
  std::string out;                    ///< run folder; empty: named by time, activation and seed
  std::string resume;                 ///< run folder to go on with
  std::optional<int64_t> limit;       ///< use the first so many training images
  std::optional<int64_t> test_limit;  ///< and test images
  bool tensorboard = false;           ///< event files in the run folder, see TensorBoardFile
  bool quiet = false;
  bool info = false;
  bool dry_run = false;  ///< stop before the first step
};

/// Calls f(flag name, reference to the value) for everything that a run's result depends on, in the
/// order of run.json. `Options` is TrainingOptions or const TrainingOptions.
template <class Options, class F>
void for_each_recorded(Options& options, F&& f) {
  f("recipe", options.recipe);
  f("model", options.model);
  f("width", options.width);
  f("dataset", options.dataset);
  f("activation", options.activation);
  f("weights", options.weights);
  f("rationalise", options.rationalise);
  f("train", options.train);
  f("data", options.data);
  f("epochs", options.epochs);
  f("batch-size", options.batch_size);
  f("drop-last", options.drop_last);
  f("accumulate", options.accumulate);
  f("sync-batch-norm", options.sync_batch_norm);
  f("optimizer", options.optimizer);
  f("lr", options.lr);
  f("momentum", options.momentum);
  f("nesterov", options.nesterov);
  f("weight-decay", options.weight_decay);
  f("lr-factors", options.lr_factors);
  f("learn-until", options.learn_until);
  f("schedule", options.schedule);
  f("warm-up", options.warm_up);
  f("activation-optimizer", options.activation_optimizer);
  f("activation-lr", options.activation_lr);
  f("clip", options.clip);
  f("augment", options.augment);
  f("test-views", options.test_views);
  f("label-smoothing", options.label_smoothing);
  f("average", options.average);
  f("lookahead", options.lookahead);
  f("freeze-activations-until", options.freeze_activations_until);
  f("seed", options.seed);
  f("threads", options.threads);
  f("no-winograd", options.no_winograd);
  f("kernels", options.kernels);
  f("device", options.device);
  f("limit", options.limit);
  f("test-limit", options.test_limit);
  f("tensorboard", options.tensorboard);
}

}  // namespace pade::support
