#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <pade/data/loader.h>
#include <pade/layers/data_parallel.h>
#include <pade/layers/study/input_statistics.h>

#include "support/checkpoint.h"
#include "support/metrics.h"
#include "support/progress.h"
#include "support/run_folder.h"
#include "support/tensorboard.h"
#include "support/training_options.h"

namespace pade::support {

/// The bookkeeping around a training loop: progress on the screen, the run folder, checkpoints,
/// interruption and resuming.
///
///   TrainingRun run("lenet", options, {network, optimizer}, loader, parallel);
///   while (run.begin_epoch()) {
///     for (auto [images, labels] : loader) { …; if (!run.step(loss, logits, labels)) return 130; }
///     if (!run.end_epoch([&] { return evaluate(network, test_set); })) return 130;
///   }
///   run.finish();
///
/// Of several ranks, all go through it, the first one prints and has the folder, and all stop after
/// the same step.
class TrainingRun {
 public:
  /// Starts a run folder, or, when options.resume names one, puts `state` and loader where that run
  /// stopped. What they refer to must outlive this object. Where there is an average, it is what is
  /// tested, watched and kept in last and best.safetensors. From here to finish(), signals are
  /// caught (catch_interrupts()). Throws Error when the run has begun more than options.epochs.
  TrainingRun(const std::string& program, const TrainingOptions& options,
              const TrainingState& state, data::Loader& loader, DataParallel& parallel);

  /// False when all epochs are done.
  bool begin_epoch();
  /// Epochs done so far, with the fraction of the current one: what schedules take.
  double epochs_done() const;
  /// And steps.
  int64_t steps_done() const { return position_.epoch * loader_.size() + position_.batch; }
  /// Throws Error when the norm of all gradients is NaN or infinite, which no step mends: it names
  /// the layer and the op where that began, found by Anomaly in a second run of the same batch.
  /// What the folder keeps of the epochs before stays as it is.
  void require_finite(double gradient_norm, const Tensor& images, const Tensor& labels);
  /// Counts a part of a batch, and with the last one a step. After an interrupt it writes a
  /// checkpoint, says how to resume, and returns false.
  bool step(const Tensor& loss, const Tensor& logits, const Tensor& labels);
  /// Calls `evaluate`, which tests the network, and meanwhile watches what goes into its
  /// activations. Then writes metrics, coefficients, inputs, checkpoints and the report so far; the
  /// result decides about best.safetensors. After an interrupt it drops what `evaluate` returned,
  /// writes a checkpoint from which that is done again, says how to resume, and returns false.
  bool end_epoch(const std::function<Evaluation()>& evaluate);
  /// Writes the report, completes run.json, and prints the final figures. Where all of that had
  /// been done before this run was resumed, it says so and changes nothing.
  void finish();

 private:
  using Clock = std::chrono::steady_clock;

  /// Moves the time since the last call into the position.
  void count_time();
  void print_start() const;
  void print_epoch(const EpochMetrics& metrics) const;
  /// Adds the epoch to the file of events.
  void write_events(const EpochMetrics& metrics);
  /// Tests what is to be kept, and writes it; nothing after an interrupt.
  std::optional<EpochMetrics> test_and_keep(const std::function<Evaluation()>& evaluate);
  /// Writes a checkpoint and says how to go on from it.
  void stop();
  void write_checkpoint() const;
  /// Puts what all ranks have counted in this epoch into the position.
  void collect_totals();
  /// The end of a sentence: the command that resumes.
  std::string how_to_go_on() const;
  std::string record(const FinalFigures* final) const;

  const std::string program_;
  const TrainingOptions options_;
  const TrainingState state_;
  data::Loader& loader_;
  DataParallel& parallel_;
  InputStatistics inputs_;
  std::unique_ptr<RunFolder> folder_;  // of the first rank
  bool was_complete_ = false;          // before this process came
  Position position_;
  int64_t first_batch_ = 0;  // of this epoch in this process
  Totals
      own_totals_;  // what this rank has counted; of the first one, all until the last checkpoint
  std::unique_ptr<Progress> progress_;
  std::optional<TensorBoardFile> events_;  // where --tensorboard asks for it
  Clock::time_point epoch_start_;
};

}  // namespace pade::support
