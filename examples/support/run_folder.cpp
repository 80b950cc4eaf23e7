#include "support/run_folder.h"

#include <sys/resource.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <sstream>
#include <utility>

#include <CLI/CLI.hpp>

#include <pade/core/build_info.h>
#include <pade/core/device.h>
#include <pade/core/distributed/communicator.h>
#include <pade/core/error.h>
#include <pade/core/io/file.h>
#include <pade/core/parallel.h>
#include <pade/core/text_stream.h>

#include "support/json_file.h"
#include "support/run_history.h"

namespace pade::support {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kRecord = "a run record";

/// The histograms in inputs.csv: bars, and the share of the values that may lie outside of them on
/// each side.
constexpr int kInputBars = 64;
constexpr double kInputTail = 5e-4;

std::string cpu_model() {
  std::ifstream cpus("/proc/cpuinfo");
  for (std::string line; std::getline(cpus, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "unknown";
}

double peak_rss_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;  // Linux counts in KiB
}

Json build_record() {
  const BuildInfo build = build_info();
  return {{"version", build.version},
          {"commit", build.commit},
          {"compiler", build.compiler},
          {"blas", build.blas},
          {"cuda", build.cuda}};
}

template <class T>
Json to_json(const T& value) {
  return value;
}
template <class T>
Json to_json(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json options_record(const TrainingOptions& options) {
  Json record;
  for_each_recorded(options,
                    [&](const char* name, const auto& value) { record[name] = to_json(value); });
  return record;
}

/// Puts a recorded value into an option that has its default, by the rules of the flag.
template <class T>
void restore_option(CLI::Option* flag, const Json& recorded, T& value) {
  if (!flag) {
    const Json unchangeable = to_json(value);
    check(recorded == unchangeable, "is ", recorded.dump(), ", and this program only knows ",
          unchangeable.dump());
    return;
  }
  check(recorded.is_primitive() && !recorded.is_null(), "is ", recorded.dump(),
        ", which is not a value");
  flag->clear();
  flag->add_result(recorded.is_string() ? recorded.get<std::string>() : recorded.dump());
  flag->run_callback();
  recorded.get_to(value);  // to the last bit, which the flag's text may not give
}
template <class T>
void restore_option(CLI::Option* flag, const Json& recorded, std::optional<T>& value) {
  value.reset();
  if (!recorded.is_null()) restore_option(flag, recorded, value.emplace());
}

/// Says on stderr what of this build is not as it was when the run was begun. Matrix products of
/// OpenBLAS round as its kernels do, which it chooses by the processor.
void warn_of_changes(const std::string& path, const Json& recorded_build) {
  const Json build = build_record();
  for (const auto& [part, now] : build.items()) {
    const Json before = recorded_build.contains(part) ? recorded_build.at(part) : Json();
    if (before == now) continue;
    std::cerr << path << ": warning: begun with " << part << ' ' << before.dump()
              << ", goes on with " << now.dump()
              << "; the last bits of its numbers can differ from those of an unbroken run\n";
  }
}

/// Replaces the file by one that ends with `text` too: a full disk leaves no half of a row behind.
void append(const std::string& path, const std::string& text) {
  write_file_atomically(path, read_file_if_there(path) + text);
}

/// Enough digits to read the same float again.
std::string digits(double value, int count) {
  TextStream out;
  out.precision(count);
  out << value;
  return out.str();
}

/// A folder of that name, or one with a number behind it, which was not there before: of two
/// programs that start in the same second each gets its own.
std::string make_new_folder(const std::string& name) {
  std::string path = name;
  std::error_code error;
  for (int number = 2; !fs::create_directory(path, error) && !error; ++number)
    path = name + "-" + std::to_string(number);
  check(!error, "run folder ", path, ": cannot be made: ", error.message());
  return path;
}

void check_is_empty(const std::string& path) {
  for (const auto& entry : fs::directory_iterator(path))
    check(entry.path().filename() == FolderLock::kName, "run folder ", path,
          ": exists and is not empty; go on with it by --resume ", path, ", or name another --out");
}

void check_can_be_resumed(const std::string& path) {
  check(fs::exists(path + "/state.safetensors"), "run folder ", path,
        ": has no state.safetensors, the run was stopped before its first checkpoint; start it "
        "again");
}

}  // namespace

std::string as_file_name(std::string text) {
  constexpr size_t kMost = 80;  // of the 255 bytes that a name may have
  if (text.size() > kMost) text.resize(kMost);
  for (char& c : text)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_' && c != '.') c = '-';
  return text;
}

RunFolder RunFolder::create(const std::string& program, const TrainingOptions& options) {
  const std::string path = options.out.empty() ? "runs" : options.out;
  std::error_code error;
  fs::create_directories(path, error);
  check(!error, "run folder ", path, ": cannot be made: ", error.message());
  if (!options.out.empty()) return RunFolder(path, check_is_empty);
  return RunFolder(
      make_new_folder("runs/" + current_time("%Y-%m-%dT%H-%M-%S") + "-" + program + "-" +
                      as_file_name(options.activation) + "-seed" + std::to_string(options.seed)),
      check_is_empty);
}

RunFolder RunFolder::open(const std::string& path) {
  check(fs::is_directory(path), "run folder ", path, ": there is no such folder");
  return RunFolder(path, [](const std::string& folder) {
    check_can_be_resumed(folder);
    remove_abandoned_files(folder);
  });
}

RunFolder::RunFolder(std::string path, void (*look)(const std::string&))
    : path_(std::move(path)), lock_(path_, std::chrono::milliseconds(0)) {
  look(path_);
}

void RunFolder::write_record(const std::string& record) const {
  write_file_atomically(file("run.json"), record);
}

bool RunFolder::is_complete() const {
  return read_json(file("run.json"), kRecord).contains("final");
}

std::string format_record(const std::string& program, const TrainingOptions& options,
                          Module& network, const data::Dataset& dataset,
                          const FinalFigures* final) {
  Json record;
  record["program"] = program;
  record["options"] = options_record(options);
  record["seed"] = options.seed;
  record["build"] = build_record();
  record["machine"] = {{"cpu", cpu_model()}, {"threads", num_threads()}};
  if (options.device == "cuda") record["machine"]["gpu"] = describe_gpu();
  if (const Communicator* ranks = Communicator::joined())
    record["machine"]["ranks"] = ranks->size();
  record["parameters"] = network.parameter_count();
  const Shape& shape = dataset.image_shape();
  record["input"] = {{"shape", std::vector(shape.begin(), shape.end())},
                     {"mean", dataset.mean()},
                     {"std", dataset.std()}};
  record["classes"] = dataset.class_names();
  if (final) {
    record["final"] = {
        {"train_loss", final->train.loss}, {"train_accuracy", final->train.accuracy},
        {"test_loss", final->test.loss},   {"test_accuracy", final->test.accuracy},
        {"seconds", final->seconds},       {"images_per_second", final->images_per_second},
        {"peak_rss_mib", peak_rss_mib()}};
  }
  // Classes are called as their folders are, by any bytes.
  return record.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

void RunFolder::append_metrics(const EpochMetrics& metrics) const {
  const std::string path = file("metrics.csv");
  TextStream row;
  if (!fs::exists(path))
    row << "epoch,lr,train_loss,train_accuracy,test_loss,test_accuracy,seconds,images_per_second\n";
  row << metrics.epoch << ',' << digits(metrics.lr, 9) << ',' << digits(metrics.train.loss, 9)
      << ',' << digits(metrics.train.accuracy, 9) << ',' << digits(metrics.test.loss, 9) << ','
      << digits(metrics.test.accuracy, 9) << ',' << digits(metrics.seconds, 6) << ','
      << digits(metrics.images_per_second, 6) << '\n';
  append(path, row.str());
}

void RunFolder::append_activations(int64_t epoch, Module& network) const {
  const std::string path = file("activations.csv");
  const std::string rows = CoefficientFile::rows_of(epoch, network);
  if (!rows.empty())
    append(path, (fs::exists(path) ? "" : CoefficientFile::header_of(network)) + rows);
}

void RunFolder::append_inputs(int64_t epoch, const InputStatistics& statistics) const {
  const std::string path = file("inputs.csv");
  TextStream rows;
  if (!fs::exists(path))
    rows << "epoch,layer,name,count,nan,infinite,mean,std,min,max,low,width,below,above,counts\n";
  const auto& layers = statistics.layers();
  for (size_t layer = 0; layer < layers.size(); ++layer) {
    const std::string& name = layers[layer].name;
    const ValueDistribution& inputs = layers[layer].inputs;
    const Histogram histogram = inputs.histogram(kInputBars, kInputTail);
    rows << epoch << ',' << layer << ',' << name << ',' << inputs.count() << ','
         << inputs.nan_count() << ',' << inputs.infinite_count();
    for (double value : {inputs.mean(), std::sqrt(inputs.variance()), inputs.min(), inputs.max(),
                         histogram.low, histogram.width})
      rows << ',' << digits(value, 9);
    rows << ',' << histogram.below << ',' << histogram.above << ',';
    for (size_t i = 0; i < histogram.counts.size(); ++i)
      rows << (i > 0 ? " " : "") << histogram.counts[i];
    rows << '\n';
  }
  if (!layers.empty()) append(path, rows.str());
}

void RunFolder::drop_rows_after(int64_t epoch) const {
  for (const char* name : {"metrics.csv", "activations.csv", "inputs.csv"}) {
    std::istringstream in(read_file_if_there(file(name)));
    std::string kept;
    for (std::string line; std::getline(in, line);) {
      const bool is_header = line.starts_with("epoch,");
      if (is_header || std::atoll(line.c_str()) <= epoch) kept += line + '\n';
    }
    if (!kept.empty()) write_file_atomically(file(name), kept);
  }
}

TrainingOptions resumed_options(CLI::App& app, const std::string& program,
                                const TrainingOptions& given) {
  if (given.resume.empty()) return given;
  check(fs::is_directory(given.resume), "run folder ", given.resume, ": there is no such folder");
  TrainingOptions options = given;
  const std::string path = given.resume + "/run.json";
  const Json recorded = read_json(path, kRecord);
  check(recorded.value("program", Json()) == program, path, ": the run was made by ",
        recorded.value("program", Json()).dump(), "; only that program goes on with it, not ",
        program);
  check(recorded.contains("options") && recorded["options"].is_object(), path,
        ": there are no options to go on with");
  const Json& of_run = recorded["options"];
  for_each_recorded(options, [&](const std::string& name, auto& value) {
    const bool may_change = name == "epochs" || name == "threads" || name == "data";
    CLI::Option* flag = app.get_option_no_throw("--" + name);
    if (flag && flag->count() > 0) {
      check(may_change, "--", name,
            " cannot be given with --resume: the run goes on as it was started");
      return;
    }
    check(of_run.contains(name), path, ": option ", name,
          " is not recorded: the run is of an earlier Padé, which did something else there, and ",
          "alone can go on with it");
    try {
      restore_option(flag, of_run.at(name), value);
    } catch (const std::exception& error) {  // of CLI11, the JSON library, or our own
      fail(path, ": option ", name, ": ", error.what());
    }
  });
  check(app.count("--out") == 0, "--out cannot be given with --resume");
  warn_of_changes(given.resume, recorded.value("build", Json::object()));
  return options;
}

std::string current_time(const char* format) {
  const std::time_t now = std::time(nullptr);
  char text[64];
  std::strftime(text, sizeof text, format, std::localtime(&now));
  return text;
}

int print_options(const TrainingOptions& options) {
  std::cout << options_record(options).dump(2) << '\n';
  return 0;
}

int print_info() {
  const BuildInfo build = build_info();
  std::cout << "Padé " << build.version << " (" << build.commit << ")\n"
            << "compiler  " << build.compiler << '\n'
            << "blas      " << build.blas << '\n'
            << "cuda      " << build.cuda << '\n'
            << "cpu       " << cpu_model() << '\n'
            << "threads   " << num_threads() << '\n'
            << "gpu       " << describe_gpu() << '\n'
            << advice_on_blas();
  return 0;
}

std::string advice_on_blas() {
#if defined(__x86_64__)
  if (build_info().blas.ends_with("on Prescott") && __builtin_cpu_supports("avx2"))
    return std::string("OpenBLAS does not know this processor; with OPENBLAS_CORETYPE=") +
           (__builtin_cpu_supports("avx512f") ? "SkylakeX" : "Haswell") +
           " in the environment matrix products are several times as fast\n";
#endif
  return "";
}

}  // namespace pade::support
