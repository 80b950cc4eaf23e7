// Padé's side of compare_pytorch.py and compare_pytorch_gpu.py: one piece of work, repeated.
//
//   pade_bench [--threads N] [--device cpu|cuda] [--tf32] WORK
//   WORK: lenet ACTIVATION BATCH               a training step, on images of 1×28×28
//         network MODEL ACTIVATION BATCH       a training step, on images of 3×32×32
//         copy ELEMENTS                        of float32, from one place to another
//         rational PASS ELEMENTS               HP-1
//         conv2d PASS N,C,H,W OUT,KERNEL,STRIDE    without bias, padding (KERNEL − 1) / 2
//         batch_norm PASS N,C,H,W              by the batch's statistics
//   PASS: forward | training                   training: forward, and backward to all inputs
//
// Prints what it is as a line of JSON, then answers each line of stdin, a count: with the times of
// so many repetitions in milliseconds, {"ms": […]}; on the GPU, which works on while the next
// repetition is prepared, with their mean alone.
#include <chrono>
#include <exception>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <pade/core/build_info.h>
#include <pade/core/error.h>
#include <pade/core/numbers.h>
#include <pade/core/parallel.h>
#include <pade/core/storage.h>
#include <pade/layers/batch_norm.h>
#include <pade/layers/rational.h>
#include <nlohmann/json.hpp>

#include "lenet.h"
#include "models/models.h"
#include "work.h"

using namespace pade;
using namespace pade::bench;
using nlohmann::json;

namespace {

double milliseconds(const Work& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
      .count();
}

json times_on_cpu(const Work& work, int count) {
  json times = json::array();
  for (int i = 0; i < count; ++i) times.push_back(milliseconds(work));
  return times;
}

json mean_time_on_gpu(const Work& work, int count) {
  for (int i = 0; i < 1 + count / 10; ++i) work();  // the GPU has been another program's
  synchronize(Device::cuda);
  const double all = milliseconds([&] {
    for (int i = 0; i < count; ++i) work();
    synchronize(Device::cuda);
  });
  return json::array({all / count});
}

void answer_counts(const Work& work, Device device) {
  const BuildInfo build = build_info();
  json about{{"version", build.version},
             {"commit", build.commit},
             {"compiler", build.compiler},
             {"blas", build.blas}};
  if (device == Device::cuda) {
    about["cuda"] = build.cuda;
    about["gpu"] = describe_gpu();
  }
  std::cout << about << std::endl;
  for (int count; std::cin >> count;) {
    const json times =
        device == Device::cuda ? mean_time_on_gpu(work, count) : times_on_cpu(work, count);
    std::cout << json{{"ms", times}} << std::endl;
  }
}

template <class Layer>
Work layer_pass(Layer made, const std::string& pass, const Shape& input, Device device) {
  const auto layer = std::make_shared<Layer>(std::move(made));
  layer->to(device);
  const Tensor x = random_numbers(input, device).requires_grad_();
  return pass_of([=] { return (*layer)(x); }, pass_named(pass));
}

/// "2,3,4" as numbers.
std::vector<int64_t> numbers(const std::string& text, size_t count) {
  std::vector<int64_t> values;
  std::istringstream in(text);
  for (std::string value; std::getline(in, value, ',');) values.push_back(std::stoll(value));
  check(values.size() == count, "pade_bench: expected ", count, " numbers, got ", text);
  return values;
}

Shape images(const std::string& text) {
  const auto n = numbers(text, 4);
  return {n[0], n[1], n[2], n[3]};
}

/// Empty when there is no such work.
Work work_named(const std::vector<std::string>& words, Device device) {
  const std::string name = words.empty() ? "" : words[0];
  if (name == "lenet" && words.size() == 3)
    return training_step([&] { return lenet(words[1]); }, {std::stoll(words[2]), 1, 28, 28},
                         device);
  if (name == "network" && words.size() == 4)
    return training_step([&] { return models::make_model(words[1], words[2], 10); },
                         {std::stoll(words[3]), 3, 32, 32}, device);
  if (name == "copy" && words.size() == 2) return copying(std::stoll(words[1]), device);
  if (name == "rational" && words.size() == 3)
    return layer_pass(Rational::hp1(), words[1], {std::stoll(words[2])}, device);
  if (name == "conv2d" && words.size() == 4) {
    const Shape input = images(words[2]);
    const auto geometry = numbers(words[3], 3);
    const int64_t kernel = geometry[1];
    Conv2d layer(
        input[1], geometry[0],
        {.kernel = kernel, .stride = geometry[2], .padding = (kernel - 1) / 2, .bias = false});
    return layer_pass(std::move(layer), words[1], input, device);
  }
  if (name == "batch_norm" && words.size() == 3) {
    const Shape input = images(words[2]);
    return layer_pass(BatchNorm2d(input[1]), words[1], input, device);
  }
  return nullptr;
}

constexpr int kMostThreads = 1024;

int run(std::vector<std::string> words) {
  Device device = Device::cpu;
  while (words.size() >= 2 && words[0].starts_with("--")) {
    const std::string option = words[0], value = words[1];
    words.erase(words.begin(), words.begin() + (option == "--tf32" ? 1 : 2));
    if (option == "--threads") {
      const int64_t threads = parse_int64(value).value_or(0);
      check(threads >= 1 && threads <= kMostThreads,
            "pade_bench: --threads expects a whole number from 1 to ", kMostThreads, ", got ",
            value);
      set_num_threads(static_cast<int>(threads));
    } else if (option == "--device")
      device = device_named(value);
    else if (option == "--tf32")
      allow_tf32(true);
    else
      fail("pade_bench: unknown option ", option);
  }
  require_available(device);
  const Work work = work_named(words, device);
  if (!work) {
    std::cerr << "usage: pade_bench [--threads N] [--device cpu|cuda] [--tf32] WORK\n"
                 "       WORK: lenet ACTIVATION BATCH | network MODEL ACTIVATION BATCH |\n"
                 "             copy ELEMENTS | rational PASS ELEMENTS |\n"
                 "             conv2d PASS N,C,H,W OUT,KERNEL,STRIDE | batch_norm PASS N,C,H,W\n"
                 "       PASS: forward | training\n";
    return 2;
  }
  answer_counts(work, device);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const int status = run({argv + 1, argv + argc});
    release_cached_memory();  // what is left then is a leak, which the emulated GPU reports
    return status;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
