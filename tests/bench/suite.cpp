#include "suite.h"

#include <chrono>
#include <exception>
#include <iostream>
#include <string_view>

#include <benchmark/benchmark.h>
#include <pade/core/build_info.h>
#include <pade/core/error.h>
#include <pade/core/numbers.h>
#include <pade/core/parallel.h>
#include <pade/core/storage.h>

namespace pade::bench {
namespace {

/// Google Benchmark calls a benchmark several times, to find out how many repetitions it needs:
/// what it works on is made once, and kept until another is asked for.
struct Current {
  std::string name;
  Work work;
};
Current current;
bool failed = false;

const Work& made(const std::string& name, const std::function<Work()>& make) {
  if (current.name != name) {
    current = {};
    Work work = make();
    work();  // memory is there, and caches are filled
    current = {name, work};
  }
  return current.work;
}

void measure(benchmark::State& state, const Work& work, Cost cost, bool is_limit) {
  using Clock = std::chrono::steady_clock;
  reset_peak_bytes_in_use();
  const auto start = Clock::now();
  for (auto _ : state) work();
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count() /
                         static_cast<double>(state.iterations());
  if (cost.flops > 0) state.counters["GFLOP/s"] = cost.flops / seconds * 1e-9;
  if (cost.bytes > 0) state.counters["GB/s"] = cost.bytes / seconds * 1e-9;
  state.counters["peak MiB"] = static_cast<double>(allocator_stats().peak_bytes_in_use) / (1 << 20);
  if (!is_limit && cost.flops + cost.bytes > 0)
    state.counters["limit"] = least_seconds(cost) / seconds;
}

}  // namespace

void add_work(const std::string& name, Cost cost, std::function<Work()> make, bool is_limit) {
  benchmark::RegisterBenchmark(name.c_str(),
                               [=](benchmark::State& state) {
                                 try {
                                   measure(state, made(name, make), cost, is_limit);
                                 } catch (const std::exception& error) {
                                   state.SkipWithError(error.what());
                                   failed = true;
                                 }
                               })
      ->UseRealTime()
      ->Unit(benchmark::kMicrosecond);
}

void add_passes(const std::string& name, Cost forward, Cost training,
                std::function<Function()> make) {
  add_work(name + "/forward", forward, [=] { return pass_of(make(), Pass::forward); });
  add_work(name + "/training", training, [=] { return pass_of(make(), Pass::training); });
}

std::string extents(const Shape& shape) {
  std::string text;
  for (int64_t extent : shape) text += (text.empty() ? "" : "x") + std::to_string(extent);
  return text;
}

namespace {

constexpr const char* kUsage =
    "usage: pade_benchmarks [--threads N] [--batch N] [--benchmark_filter=REGEX] …\n"
    "  --threads N   of parallel loops; all processors unless given\n"
    "  --batch N     images in a batch; 128 unless given\n"
    "and the options of Google Benchmark, of which --help tells.\n";

constexpr int kMost = 1'000'000;  // threads, and images in a batch

/// The number after `option`, which is then taken out of the arguments; `otherwise` without it.
int64_t take_number(int& argc, char** argv, std::string_view option, int64_t otherwise) {
  for (int i = 1; i < argc; ++i) {
    if (argv[i] != option) continue;
    check(i + 1 < argc, "pade_benchmarks: ", option, " needs a number\n", kUsage);
    const int64_t number = parse_int64(argv[i + 1]).value_or(0);
    check(number >= 1 && number <= kMost, "pade_benchmarks: ", option,
          " expects a whole number from 1 to ", kMost, ", got ", argv[i + 1], "\n", kUsage);
    for (int k = i + 2; k <= argc; ++k) argv[k - 2] = argv[k];  // with the null that ends them
    argc -= 2;
    return number;
  }
  return otherwise;
}

int run(int argc, char** argv) {
  set_num_threads(static_cast<int>(take_number(argc, argv, "--threads", num_threads())));
  const int64_t batch = take_number(argc, argv, "--batch", 128);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
    std::cerr << kUsage;
    return 2;
  }
  const BuildInfo build = build_info();
  benchmark::AddCustomContext("pade", build.version + " (" + build.commit + ", " + build.compiler +
                                          "; " + build.blas + ")");
  benchmark::AddCustomContext("threads", std::to_string(num_threads()));
  add_limits();
  add_ops(batch);
  add_layers(batch);
  add_optimizers();
  add_rationals(batch);
  add_networks(batch);
  const size_t count = benchmark::RunSpecifiedBenchmarks();
  current = {};
  return count == 0 || failed;
}

}  // namespace
}  // namespace pade::bench

int main(int argc, char** argv) {
  try {
    return pade::bench::run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 2;
  }
}
