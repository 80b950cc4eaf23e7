#pragma once

#include <string>
#include <utility>
#include <vector>

#include <pade/core/io/folder_lock.h>
#include <pade/data/dataset.h>
#include <pade/layers/module.h>
#include <pade/layers/study/input_statistics.h>

#include "support/metrics.h"
#include "support/training_options.h"

namespace CLI {
class App;
}

namespace pade::support {

/// What run.json says of a completed run.
struct FinalFigures {
  Evaluation train, test;
  double seconds = 0;
  double images_per_second = 0;
};

/// The folder that a training program leaves behind. Files are replaced whole or not at all. As
/// long as this object lives, no other process can have the folder.
///
///   run.json           options, build, machine; final figures when all the rest is written
///   metrics.csv        a row per epoch
///   activations.csv    the coefficients of every learned activation, epoch by epoch
///   inputs.csv         what went into every activation, epoch by epoch
///   last.safetensors   the network after the last epoch, best.… after the best, by
///                      save_network()
///   state.safetensors  what going on needs
///   activations.svg    start and end of every activation; activations.gp draws it
///   report.html        all of it as a page, which renews itself until the run is complete
class RunFolder {
 public:
  /// A new folder: options.out, or runs/<time>-<program>-<activation>-seed<N>, with -2, -3, … where
  /// there is one already. Throws Error when options.out holds anything or is in use.
  static RunFolder create(const std::string& program, const TrainingOptions& options);
  /// The folder of an earlier run, without the temporary files that killed processes left there.
  /// Throws Error when there is none to resume, and when that run has not ended.
  static RunFolder open(const std::string& path);

  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

  void write_record(const std::string& record) const;
  /// Whether run.json has the figures of a completed run.
  bool is_complete() const;
  /// Adds the epoch's row to metrics.csv, and one per learned activation to activations.csv. Epoch
  /// 0 stands for the state before training and has rows in activations.csv only.
  void append_metrics(const EpochMetrics& metrics) const;
  void append_activations(int64_t epoch, Module& network) const;
  /// Adds a row per watched layer to inputs.csv: the number of finite values (count), of NaN and
  /// infinite ones, moments, extremes, and a histogram (see ValueDistribution::histogram) of at
  /// most 64 bars, whose counts stand in one field with blanks between them.
  void append_inputs(int64_t epoch, const InputStatistics& statistics) const;
  /// Drops the rows of epochs after `epoch` from these files, which a run that was killed between
  /// two writes may have left.
  void drop_rows_after(int64_t epoch) const;

 private:
  /// Locks the folder; then `look` throws Error unless it is as expected.
  RunFolder(std::string path, void (*look)(const std::string& path));

  std::string path_;
  FolderLock lock_;
};

/// What run.json says: options, build, machine, number of parameters, the input's shape and
/// normalisation, the names of the classes, and, when the run is complete, its figures.
std::string format_record(const std::string& program, const TrainingOptions& options,
                          Module& network, const data::Dataset& dataset, const FinalFigures* final);

/// The options of the run that options.resume names, with the flags given now on top. Throws Error
/// when those would change the result (all but --epochs, --threads, --data, --quiet may not be
/// given), when another program made the run, and when its run.json has a value that the flag of
/// `app` would refuse. Warns on stderr where this build or its BLAS is not the one that the run was
/// begun with. Without --resume, the options as they are.
TrainingOptions resumed_options(CLI::App& app, const std::string& program,
                                const TrainingOptions& options);

/// `hp1:groups=2` as part of a file name: `hp1-groups-2`; the beginning of what is very long.
std::string as_file_name(std::string text);

/// The local time, written as strftime() does.
std::string current_time(const char* format);

/// --dry-run: the options as run.json has them, on stdout. Returns the exit code 0.
int print_options(const TrainingOptions& options);

/// --info: build, machine and what was found, on stdout. Returns the exit code 0.
int print_info();
/// A line for where OpenBLAS does not know the processor, and takes the kernels of one without AVX:
/// what makes it take others. Empty elsewhere.
std::string advice_on_blas();

}  // namespace pade::support
