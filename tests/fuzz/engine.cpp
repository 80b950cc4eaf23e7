// A small fuzzer guided by coverage, for compilers that have no libFuzzer; it takes the same flags.
//
//   TARGET [-runs=N] [-max_total_time=SECONDS] [-seed=N] FILE-OR-FOLDER…
//
// First every file is tried, then what mutations make of them. An input that leads to code that no
// other has reached is kept, and mutated in its turn. One that ends the target, or takes longer
// than a minute, is written to `crash-TARGET`.

#include <fcntl.h>
#include <sanitizer/common_interface_defs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <pade/core/numbers.h>

#include "fuzz.h"

namespace {

namespace fs = std::filesystem;

constexpr size_t kLongestInput = 1 << 16;
constexpr unsigned kSecondsPerInput = 60;

// ------------------------------------------------------------------------------ what was reached

constexpr size_t kPlaces = 1 << 16;
std::array<bool, kPlaces> reached;
bool reached_new = false;

/// A place in the program by its address there, which differs between any two of them by little.
size_t place_of(const void* address) {
  return reinterpret_cast<uintptr_t>(address) * 0x9E3779B97F4A7C15u >> 48;
}

// ----------------------------------------------------------------- the input when the target ends

std::string crash_file;
const std::string* current_input = nullptr;

void write_current_input() {
  if (!current_input) return;
  const int file = open(crash_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
  const ssize_t written = write(file, current_input->data(), current_input->size());
  const char* message = written < 0 ? "fuzz: the input could not be written to "
                                    : "fuzz: the input that did it is in ";
  for (const char* text : {message, crash_file.c_str(), "\n"})
    if (write(STDERR_FILENO, text, std::strlen(text)) < 0) return;
}

void end_slow_input(int) {
  const char* text = "fuzz: an input takes too long\n";
  if (write(STDERR_FILENO, text, std::strlen(text)) >= 0) write_current_input();
  _exit(1);
}

/// Returns whether the input reached something new.
bool run(const std::string& input) {
  current_input = &input;
  reached_new = false;
  alarm(kSecondsPerInput);
  // Of exactly its size, so that a read beyond the end is seen.
  const std::vector<uint8_t> exact(input.begin(), input.end());
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
  alarm(0);
  current_input = nullptr;
  return reached_new;
}

// --------------------------------------------------------------------------------------- mutations

using Random = std::mt19937_64;

size_t below(Random& random, size_t n) { return n == 0 ? 0 : random() % n; }

/// A range of the text, most often a short one.
std::pair<size_t, size_t> range_in(Random& random, const std::string& text) {
  const size_t at = below(random, text.size() + 1);
  const size_t longest = below(random, 4) ? 8 : text.size();
  return {at, std::min(below(random, longest + 1), text.size() - at)};
}

/// Numbers at which sizes, signs and conversions change.
std::string number_as_bytes(Random& random) {
  const std::array<uint64_t, 12> numbers{0,      1,       0x7f,       0x80,     0xff,  0x7fff,
                                         0xffff, 1 << 16, 0x7fffffff, 1u << 31, ~0ull, 1ull << 63};
  const uint64_t number = numbers[below(random, numbers.size())] + below(random, 3) - 1;
  std::string bytes(size_t{1} << below(random, 4), '\0');
  std::memcpy(bytes.data(), &number, bytes.size());
  if (below(random, 2)) std::reverse(bytes.begin(), bytes.end());
  return bytes;
}

std::string number_as_text(Random& random) {
  const std::array<const char*, 14> numbers{"0",
                                            "-1",
                                            "1e30",
                                            "-1e30",
                                            "nan",
                                            "inf",
                                            "1e-400",
                                            "1e400",
                                            "0.5",
                                            "007",
                                            "2147483648",
                                            "0x10",
                                            "9223372036854775808",
                                            "1,5"};
  return numbers[below(random, numbers.size())];
}

std::string mutate(Random& random, std::string text, const std::vector<std::string>& corpus) {
  for (size_t changes = 1 + below(random, 5); changes > 0; --changes) {
    const auto [at, length] = range_in(random, text);
    const std::string& other = corpus[below(random, corpus.size())];
    const auto [from, count] = range_in(random, other);
    switch (below(random, 8)) {
      case 0:
        if (at < text.size()) text[at] = static_cast<char>(text[at] ^ 1 << below(random, 8));
        break;
      case 1:
        if (at < text.size()) text[at] = static_cast<char>(random());
        break;
      case 2: text.erase(at, length); break;
      case 3: text.insert(at, text.substr(at, length)); break;
      case 4: text.insert(at, other.substr(from, count)); break;
      case 5: text.replace(at, std::min(count, text.size() - at), other, from, count); break;
      case 6: {
        const std::string bytes = number_as_bytes(random);
        text.replace(at, std::min(bytes.size(), text.size() - at), bytes);
        break;
      }
      case 7: text.replace(at, length, number_as_text(random)); break;
    }
  }
  text.resize(std::min(text.size(), kLongestInput));
  return text;
}

// ------------------------------------------------------------------------------------ command line

struct Options {
  int64_t runs = -1;    // −1: until the time is over
  int64_t seconds = 0;  // 0: until the runs are done
  uint64_t seed = 1;
  std::vector<fs::path> inputs;
};

Options parse(int argc, char** argv) {
  Options options;
  const auto number = [](std::string_view argument) {
    const auto value = pade::parse_int64(argument.substr(argument.find('=') + 1));
    pade::check(value && *value >= 0, argument, ": expected a number of at least 0");
    return *value;
  };
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument.starts_with("-runs="))
      options.runs = number(argument);
    else if (argument.starts_with("-max_total_time="))
      options.seconds = number(argument);
    else if (argument.starts_with("-seed="))
      options.seed = static_cast<uint64_t>(number(argument));
    else
      options.inputs.emplace_back(argument);
  }
  pade::check(!options.inputs.empty() && (options.runs >= 0 || options.seconds > 0),
              "usage: ", argv[0], " -runs=N|-max_total_time=SECONDS [-seed=N] FILE-OR-FOLDER…");
  return options;
}

std::vector<std::string> read_corpus(const std::vector<fs::path>& inputs) {
  std::vector<fs::path> files;
  for (const fs::path& input : inputs)
    if (fs::is_directory(input))
      std::copy(fs::directory_iterator(input), {}, std::back_inserter(files));
    else
      files.push_back(input);
  std::sort(files.begin(), files.end());
  std::vector<std::string> corpus;
  for (const fs::path& file : files) {
    std::ifstream in(file, std::ios::binary);
    pade::check(in.is_open(), "cannot read ", file.string());
    corpus.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  pade::check(!corpus.empty(), "there is no input to begin with");
  return corpus;
}

}  // namespace

/// The compiler puts a call of this at the start of each stretch of code without branches.
extern "C" void __sanitizer_cov_trace_pc() {
  bool& here = reached[place_of(__builtin_return_address(0))];
  if (!here) here = reached_new = true;
}

int main(int argc, char** argv) {
  crash_file = "crash-" + fs::path(argv[0]).filename().string();
  std::signal(SIGALRM, end_slow_input);
  __sanitizer_set_death_callback(write_current_input);
  try {
    const Options options = parse(argc, argv);
    std::vector<std::string> corpus = read_corpus(options.inputs);
    for (const std::string& input : corpus) run(input);
    const size_t given = corpus.size();

    Random random(options.seed);
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(options.seconds);
    int64_t runs = 0;
    for (; runs != options.runs; ++runs) {
      if (options.seconds > 0 && std::chrono::steady_clock::now() >= end) break;
      std::string input = mutate(random, corpus[below(random, corpus.size())], corpus);
      if (run(input)) corpus.push_back(std::move(input));
    }
    std::cout << runs << " inputs made of " << given << ", " << corpus.size() - given
              << " of them kept; " << std::count(reached.begin(), reached.end(), true)
              << " places reached\n";
  } catch (const pade::Error& error) {
    std::cerr << "fuzz: " << error.what() << '\n';
    return 2;
  }
  return 0;
}
