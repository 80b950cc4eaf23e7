#include "support/training_run.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <sstream>

#include <pade/core/error.h>
#include <pade/core/numbers.h>
#include <pade/core/ops/cross_entropy.h>
#include <pade/core/parallel.h>
#include <pade/core/tape.h>
#include <pade/core/text_stream.h>
#include <pade/layers/activation.h>
#include <pade/layers/network_file.h>

#include "support/activation_plot.h"
#include "support/command.h"
#include "support/interrupt.h"
#include "support/ranks.h"
#include "support/report.h"

namespace pade::support {
namespace {

/// Of each batch of test images, so many are watched on their way through the activations: enough
/// for a histogram, in a small part of the time that the evaluation takes.
constexpr int64_t kWatchedSamples = 64;

bool watched(const std::string&, Module& module) {
  return dynamic_cast<Activation*>(&module) != nullptr;
}

std::unique_ptr<RunFolder> open_or_create(const std::string& program,
                                          const TrainingOptions& options, Communicator& ranks) {
  if (ranks.rank() > 0) return nullptr;
  return std::unique_ptr<RunFolder>(new RunFolder(options.resume.empty()
                                                      ? RunFolder::create(program, options)
                                                      : RunFolder::open(options.resume)));
}

std::string epoch_title(int64_t epoch, int64_t epochs) {
  TextStream out;
  out << "epoch " << std::setw(static_cast<int>(std::to_string(epochs).size())) << epoch << '/'
      << epochs;
  return out.str();
}

/// As `; act1 has poles at -2.31, 0.84`, for every activation that has some between −20 and 20.
std::string poles_of(Module& network) {
  constexpr double kFar = 20;
  TextStream text;
  network.for_each_module([&](const std::string& path, Module& module) {
    const auto* activation = dynamic_cast<const Activation*>(&module);
    if (!activation) return;
    const char* separator =
        activation->groups() > 1 ? " (group 1) has poles at " : " has poles at ";
    for (const double pole : activation->as_function().poles(-kFar, kFar)) {
      text << (*separator == ',' ? "" : "; " + path) << separator << std::setprecision(3) << pole;
      separator = ", ";
    }
  });
  return text.str();
}

std::string first_anomaly(Module& network, const Tensor& images, const Tensor& labels) {
  try {
    const Anomaly searching;
    Tape tape;
    tape.backward(cross_entropy(network(images), labels));
  } catch (const Error& error) {
    return error.what();
  }
  return "the same batch once more gave none, so a random op takes part";
}

}  // namespace

TrainingRun::TrainingRun(const std::string& program, const TrainingOptions& options,
                         const TrainingState& state, data::Loader& loader, DataParallel& parallel)
    : program_(program),
      options_(options),
      state_(state),
      loader_(loader),
      parallel_(parallel),
      inputs_(state.network, {.watch = watched, .samples_per_call = kWatchedSamples}),
      folder_(open_or_create(program, options, parallel.ranks())) {
  if (!options_.resume.empty()) {
    position_ = read_state(options_.resume + "/state.safetensors", state_);
    parallel_.synchronise();
    if (folder_) own_totals_ = position_.totals;
    const int64_t begun = position_.epoch + (position_.batch > 0);
    check(begun <= options_.epochs, "run folder ", options_.resume, ": the run has begun epoch ",
          begun, " already; --epochs ", options_.epochs, " would take it back");
    const bool complete = position_.epoch == options_.epochs && folder_ && folder_->is_complete();
    was_complete_ = is_so_anywhere(complete, parallel_.ranks());
    if (was_complete_) return;
    if (folder_) folder_->drop_rows_after(position_.epoch);
  }
  catch_interrupts();
  if (!folder_) return;
  folder_->write_record(record(nullptr));
  if (options_.resume.empty()) folder_->append_activations(0, state_.network);
  write_report(*folder_, state_.network, record(nullptr));
  if (!options_.quiet) print_start();
}

std::string TrainingRun::record(const FinalFigures* final) const {
  return format_record(program_, options_, state_.network, loader_.dataset(), final);
}

void TrainingRun::print_start() const {
  const Shape image = loader_.dataset().image_shape();
  std::cout << summary(state_.network, {1, image[0], image[1], image[2]}) << '\n'
            << options_.dataset << ", " << counted(loader_.images(), "training image")
            << ", activation " << options_.activation << ", seed " << options_.seed << ", "
            << counted(num_threads(), "thread");
  if (const int ranks = parallel_.ranks().size(); ranks > 1)
    std::cout << " on each of " << ranks << " ranks";
  std::cout << '\n' << advice_on_blas();
  if (!options_.resume.empty())
    std::cout << "resumed after " << counted(position_.epoch, "epoch") << " and "
              << counted(position_.batch, "step") << '\n';
  std::cout << std::flush;
}

bool TrainingRun::begin_epoch() {
  if (position_.epoch >= options_.epochs) return false;
  loader_.set_epoch(position_.epoch, position_.batch);
  first_batch_ = position_.batch;
  epoch_start_ = Clock::now();
  // mpirun gives its ranks a terminal of their own, wherever its output goes: no bar is drawn
  // there.
  const bool quiet = options_.quiet || parallel_.ranks().size() > 1;
  progress_ = std::make_unique<Progress>(epoch_title(position_.epoch + 1, options_.epochs),
                                         loader_.size(), quiet);
  return true;
}

double TrainingRun::epochs_done() const {
  return static_cast<double>(position_.epoch) +
         static_cast<double>(position_.batch) / static_cast<double>(loader_.size());
}

void TrainingRun::require_finite(double gradient_norm, const Tensor& images, const Tensor& labels) {
  if (std::isfinite(gradient_norm)) return;
  progress_->clear();
  fail(
      "training diverged: gradients that are NaN or infinite in epoch ", position_.epoch + 1,
      ", step ", position_.batch + 1, " of ", loader_.size(), "; ",
      first_anomaly(state_.network, images, labels), poles_of(state_.network), "; ",
      folder_ ? folder_->path() : "the run's folder",
      " keeps the epochs before. Try a smaller --lr, --activation-lr or --clip, and for a rational "
      "with poles another form than unsafe");
}

bool TrainingRun::step(const Tensor& loss, const Tensor& logits, const Tensor& labels) {
  const BatchPart& part = loader_.part();
  if (part.share > 0) own_totals_.add(loss, logits, labels);
  if (!part.last) return true;
  ++position_.batch;
  const int64_t images_here = std::min(position_.batch * options_.batch_size, loader_.images()) -
                              first_batch_ * options_.batch_size;
  const Evaluation so_far = own_totals_.mean();
  progress_->update(position_.batch, first_batch_, images_here, so_far.loss, so_far.accuracy);
  const bool alone = parallel_.ranks().size() == 1;
  if (!(alone ? interrupted() : parallel_.anyone_said())) {
    parallel_.say(interrupted());
    return true;
  }
  stop();
  return false;
}

void TrainingRun::collect_totals() {
  position_.totals = own_totals_.over(parallel_.ranks());
  own_totals_ = {};
}

void TrainingRun::write_checkpoint() const {
  if (folder_) write_state(folder_->file("state.safetensors"), state_, position_);
}

void TrainingRun::stop() {
  progress_->clear();
  count_time();
  collect_totals();
  write_checkpoint();
  if (folder_)
    std::cerr << "interrupted after " << counted(position_.epoch, "epoch") << " and "
              << counted(position_.batch, "step") << how_to_go_on();
}

std::string TrainingRun::how_to_go_on() const {
  return "; go on with: " + typed_command() + ' ' + shell_line({"--resume", folder_->path()}) +
         '\n';
}

void TrainingRun::count_time() {
  const auto now = Clock::now();
  const double seconds = std::chrono::duration<double>(now - epoch_start_).count();
  position_.epoch_seconds += seconds;
  position_.run_seconds += seconds;
  epoch_start_ = now;
}

std::optional<EpochMetrics> TrainingRun::test_and_keep(
    const std::function<Evaluation()>& evaluate) {
  inputs_.clear();
  const Evaluation test = [&] {
    const ForwardObserver collecting = inputs_.collect();
    return evaluate();
  }();
  if (is_so_anywhere(interrupted(), parallel_.ranks())) return std::nullopt;
  progress_->clear();
  count_time();
  collect_totals();
  const double images = static_cast<double>(position_.totals.images);
  const Optimizer& optimizer = state_.optimizer;
  const EpochMetrics metrics{
      position_.epoch + 1,     optimizer.groups().front().lr * optimizer.lr_factor(),
      position_.totals.mean(), test,
      position_.epoch_seconds, images / position_.epoch_seconds};
  if (!options_.quiet) print_epoch(metrics);
  if (!folder_) return metrics;
  folder_->append_metrics(metrics);
  folder_->append_activations(metrics.epoch, state_.network);
  folder_->append_inputs(metrics.epoch, inputs_);
  if (options_.tensorboard) write_events(metrics);
  save_network(folder_->file("last.safetensors"), state_.network);
  if (test.accuracy > position_.best_accuracy)
    save_network(folder_->file("best.safetensors"), state_.network);
  write_report(*folder_, state_.network, record(nullptr));
  return metrics;
}

void TrainingRun::write_events(const EpochMetrics& metrics) {
  if (!events_) events_.emplace(folder_->path());
  const int64_t epoch = metrics.epoch;
  events_->add(epoch, "loss/train", metrics.train.loss);
  events_->add(epoch, "loss/test", metrics.test.loss);
  events_->add(epoch, "accuracy/train", metrics.train.accuracy);
  events_->add(epoch, "accuracy/test", metrics.test.accuracy);
  events_->add(epoch, "lr", metrics.lr);
  for (const InputStatistics::Layer& layer : inputs_.layers())
    events_->add(epoch, "inputs/" + layer.name, layer.inputs);
  events_->write();
}

bool TrainingRun::end_epoch(const std::function<Evaluation()>& evaluate) {
  if (state_.average) state_.average->swap();
  const std::optional<EpochMetrics> metrics = test_and_keep(evaluate);
  if (state_.average) state_.average->swap();
  if (!metrics) {
    stop();
    return false;
  }
  position_ = {.epoch = metrics->epoch,
               .run_seconds = position_.run_seconds,
               .best_accuracy = std::max(metrics->test.accuracy, position_.best_accuracy),
               .last = *metrics};
  // A run that is killed between the writes goes on from the state before: it is written last.
  write_checkpoint();
  return true;
}

void TrainingRun::print_epoch(const EpochMetrics& metrics) const {
  std::cout << epoch_title(metrics.epoch, options_.epochs) << std::fixed << std::setprecision(4)
            << "  train loss " << metrics.train.loss << " accuracy " << metrics.train.accuracy
            << "  test loss " << metrics.test.loss << " accuracy " << metrics.test.accuracy << "  "
            << std::setprecision(1) << metrics.seconds << " s  " << std::setprecision(0)
            << metrics.images_per_second << " images/s\n"
            << std::defaultfloat << std::setprecision(6) << std::flush;
}

void TrainingRun::finish() {
  if (was_complete_) {
    if (!options_.quiet)
      std::cout << options_.resume << ": complete after " << counted(options_.epochs, "epoch")
                << ", so there is nothing to do; a larger --epochs goes on\n";
    return;
  }
  if (!folder_) return;
  // A resumed run comes back to here at once.
  obey_interrupts("interrupted before the last files were written" + how_to_go_on());
  if (state_.average) state_.average->swap();  // what is kept is what the report shows
  const EpochMetrics& last = position_.last;
  const double images = static_cast<double>(loader_.images() * last.epoch);
  const FinalFigures final{last.train, last.test, position_.run_seconds,
                           images / position_.run_seconds};
  const std::string completed = record(&final);
  const std::string plot = plot_activations(*folder_, state_.network);
  write_report(*folder_, state_.network, completed);
  folder_->write_record(completed);  // last, as it says that the rest is there
  if (state_.average) state_.average->swap();
  if (options_.quiet) return;
  std::cout << std::fixed << std::setprecision(4) << "\n          loss    accuracy\n"
            << "train   " << last.train.loss << "   " << last.train.accuracy << '\n'
            << "test    " << last.test.loss << "   " << last.test.accuracy << "   (best "
            << position_.best_accuracy << ")\n"
            << std::setprecision(0) << format_duration(position_.run_seconds) << ", "
            << final.images_per_second << " images/s; the run is in " << folder_->path() << '\n'
            << plot << (plot.empty() ? "" : "\n")
            << "the run as a page: " << folder_->file("report.html") << '\n';
}

}  // namespace pade::support
