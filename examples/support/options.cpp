#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <iostream>
#include <thread>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <pade/core/build_info.h>
#include <pade/core/did_you_mean.h>
#include <pade/core/distributed/communicator.h>
#include <pade/core/error.h>
#include <pade/data/open_dataset.h>
#include <pade/layers/activation.h>

#include "support/augment.h"
#include "support/command.h"
#include "support/learned_spec.h"
#include "support/number_option.h"
#include "support/numbers_by_name.h"
#include "support/optimizer.h"
#include "support/options.h"

namespace pade::support {
namespace {

/// Of epochs, and of images: more than anybody has the time for.
constexpr int64_t kMostCounted = 1'000'000'000;

/// Takes what `parse` does not throw an Error for.
CLI::Validator accepted_by(std::function<void(const std::string&)> parse,
                           const std::string& description) {
  return CLI::Validator(
      [parse = std::move(parse)](const std::string& text) -> std::string {
        try {
          parse(text);
          return "";
        } catch (const Error& error) {
          return error.what();
        }
      },
      description);
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : "|") + name;
  return text;
}

/// One of these data sets, or a folder, which may hold images.
CLI::Validator dataset_or_folder(const std::vector<std::string>& names) {
  return accepted_by(
      [names](const std::string& name) {
        if (!std::filesystem::is_directory(name)) check_known_name("dataset", name, names);
      },
      joined(names) + "|DIR");
}

CLI::Validator augmentation() {
  return accepted_by([](const std::string& text) { transforms_named(text); }, "LIST");
}

CLI::Validator by_name() {
  return accepted_by([](const std::string& text) { numbers_by_name(text); }, "NAME=X,…");
}

/// "--epcohs: unknown; did you mean --epochs?", with the list of flags.
std::string describe_extras(const CLI::App& app) {
  for (const CLI::App* command : app.get_subcommands())
    if (!command->remaining(true).empty()) return describe_extras(*command);
  std::vector<std::string> flags, commands;
  for (const CLI::Option* option : app.get_options()) flags.push_back(option->get_name());
  for (const CLI::App* command : app.get_subcommands(nullptr))
    commands.push_back(command->get_name());
  std::string message;
  for (const std::string& extra : app.remaining(true)) {
    const bool is_flag = extra.starts_with("-");
    try {
      fail_unknown_name(is_flag            ? "flag"
                        : commands.empty() ? "argument"
                                           : "command",
                        extra.substr(0, extra.find('=')),
                        is_flag || commands.empty() ? flags : commands);
    } catch (const Error& error) {
      return error.what();
    }
  }
  return message;
}

/// A message of several lines as one: "…:\n  a\n  b" becomes "…: a; b".
std::string on_one_line(const std::string& message) {
  std::string line;
  for (size_t i = 0; i < message.size(); ++i) {
    if (message[i] != '\n') {
      line += message[i];
      continue;
    }
    line += line.ends_with(':') ? " " : "; ";
    while (i + 1 < message.size() && message[i + 1] == ' ') ++i;
  }
  return line;
}

/// A file that is opened gets the lowest number that is free. Where a shell has closed one of the
/// first three (`<&-`), that would be a file of ours, into which others then read and print.
void open_standard_descriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (fcntl(descriptor, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0) return;
}

/// Writes what is still buffered. Returns false, after a message on stderr, when a part of what was
/// printed is lost: the disk is full, for instance.
bool finish_output(const CLI::App& app) {
  errno = 0;
  std::cout.flush();
  if (std::fflush(stdout) == 0 && !std::ferror(stdout) && std::cout.good()) return true;
  std::cerr << app.get_name() << ": cannot write all output to stdout: "
            << (errno ? std::strerror(errno) : "an earlier part is lost; is its disk full?")
            << '\n';
  return false;
}

}  // namespace

CLI::Validator one_of(const std::vector<std::string>& names, const std::string& what) {
  return accepted_by(
      [names, what](const std::string& name) { check_known_name(what, name, names); },
      joined(names));
}

CLI::Validator recordable_path() {
  return accepted_by(
      [](const std::string& path) {
        using Json = nlohmann::json;
        try {
          Json(path).dump();
        } catch (const Json::exception&) {
          const std::string shown = Json(path).dump(-1, ' ', false, Json::error_handler_t::replace);
          fail("expected a name in UTF-8, which JSON can record, got ", shown,
               "; rename the folder, or give a symbolic link to it");
        }
      },
      "");
}

CLI::Validator activation_spec() {
  return CLI::Validator(
      [](std::string& spec) -> std::string {
        try {
          spec = resolved_spec(spec);
          make_activation(spec);
          return "";
        } catch (const Error& error) {
          return error.what();
        }
      },
      "SPEC");
}

void add_training_flags(CLI::App& app, TrainingOptions& options,
                        const std::vector<std::string>& datasets) {
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.add_option("--dataset", options.dataset,
                 "what to learn: a known set, or a folder of images with a sub-folder per class")
      ->check(dataset_or_folder(datasets))
      ->check(recordable_path())
      ->capture_default_str();
  app.add_option("--activation", options.activation,
                 "the activation, as name[:key=value,…]: hp1, relu, leaky_relu:slope=0.1, "
                 "opau:basis=legendre,degrees=3/2")
      ->transform(activation_spec())
      ->capture_default_str();
  app.add_option("--weights", options.weights,
                 "start from a safetensors file, of Padé or PyTorch, whose tensors fit by name")
      ->type_name("FILE")
      ->check(recordable_path());
  app.add_option("--rationalise", options.rationalise,
                 "put a rational activation of this SPEC in the place of every activation, fitted "
                 "to it on the inputs that it has")
      ->transform(activation_spec());
  app.add_option("--train", options.train, "all, or only the activations' coefficients")
      ->check(one_of({"all", "activations"}, "part to train"))
      ->capture_default_str();
  app.add_option("--data", options.data,
                 "folder with the dataset's files; otherwise it is looked for "
                 "in $PADE_DATA, the system's packages and ~/.cache/pade, and "
                 "fetched where it is missing")
      ->type_name("DIR")
      ->check(recordable_path());
  add_number(app, "--epochs", options.epochs, "passes over the training images",
             {.least = 1, .most = kMostCounted})
      ->capture_default_str();
  add_number(app, "--batch-size", options.batch_size, "images per step, of all ranks together",
             {.least = 1, .most = kMostCounted})
      ->capture_default_str();
  app.add_flag("--drop-last", options.drop_last, "leave out a last step with fewer images");
  add_number(app, "--accumulate", options.accumulate,
             "parts in which each rank goes through its images of a step, and adds up their "
             "gradients: less memory, and what so many ranks compute",
             {.least = 1, .most = kMostCounted})
      ->capture_default_str();
  app.add_flag("--sync-batch-norm", options.sync_batch_norm,
               "batch norm by the mean and variance over the images of all ranks");
  app.add_option("--optimizer", options.optimizer, "how weights follow gradients")
      ->check(one_of({"sgd", "adam", "adamw"}, "optimizer"))
      ->capture_default_str();
  add_number(app, "--lr", options.lr, "learning rate", {.least = 0})->capture_default_str();
  add_number(app, "--momentum", options.momentum, "of SGD", {.least = 0, .most = 1})
      ->capture_default_str();
  app.add_flag("--nesterov", options.nesterov, "with Nesterov's momentum");
  add_number(app, "--weight-decay", options.weight_decay,
             "of weights and biases; the activations' coefficients have none", {.least = 0})
      ->capture_default_str();
  app.add_option("--lr-factors", options.lr_factors,
                 "what the learning rates of parameters with these texts in their names are "
                 "multiplied by, and their weight decay divided by, as in norm=64,fc3=0.1")
      ->check(by_name());
  app.add_option("--schedule", options.schedule,
                 "of the learning rate: cosine falls to 0 at the last "
                 "epoch, step divides by 10 after each third, constant, or "
                 "triangle[:start=0,peak=0.5,end=0] rises from a share of it and falls to another")
      ->check(accepted_by([](const std::string& text) { schedule_named(text, 1); }, "SPEC"))
      ->capture_default_str();
  add_number(app, "--warm-up", options.warm_up,
             "epochs at the start, 0.5 for half of one, in which the learning rates rise from 0 "
             "to what the schedule says",
             {.least = 0})
      ->capture_default_str();
  app.add_option("--activation-optimizer", options.activation_optimizer,
                 "how the activations' coefficients follow gradients: adam, in steps that are "
                 "scaled for each of them; or same, as the weights do")
      ->check(one_of({"adam", "same"}, "optimizer of coefficients"))
      ->capture_default_str();
  add_number(app, "--activation-lr", options.activation_lr,
             "learning rate of the activations' coefficients [0.01 over the root of the "
             "number of layers that have some; with same, --lr]",
             {.least = 0});
  add_number(app, "--clip", options.clip,
             "largest norm of all weights' gradients together; 0: no limit", {.least = 0})
      ->capture_default_str();
  add_number(app, "--seed", options.seed, "of weights, order and dropout")->capture_default_str();
  add_number(app, "--threads", options.threads,
             "0: all processors; the result is the same for any number",
             {.least = 0, .most = kMostThreads})
      ->capture_default_str();
  app.add_flag("--no-winograd", options.no_winograd,
               "3×3 convolutions on the CPU without Winograd's transforms: slower, with a tenth of "
               "the rounding errors");
  app.add_option("--kernels", options.kernels,
                 "on the CPU: fast; or reference, plain loops to be read and stepped through; "
                 "default: what PADE_KERNELS says, or fast")
      ->check(one_of({"default", "fast", "reference"}, "kernels"))
      ->capture_default_str();
  app.add_option("--device", options.device, "where to compute")
      ->check(one_of({"cpu", "cuda"}, "device"))
      ->capture_default_str();
  app.add_option("--out", options.out, "run folder [runs/<time>-<program>-<activation>-seed<N>]")
      ->type_name("DIR");
  app.add_option(
         "--resume", options.resume,
         "go on with the run in this folder; with a larger --epochs, with a complete one too")
      ->type_name("DIR");
  add_number(app, "--limit", options.limit, "use only the first N training images",
             {.least = 1, .most = kMostCounted});
  add_number(app, "--test-limit", options.test_limit, "use only the first N test images",
             {.least = 1, .most = kMostCounted});
  app.add_flag("--tensorboard", options.tensorboard,
               "also write event files for TensorBoard into the run folder");
  app.add_flag("--quiet", options.quiet, "print nothing but errors");
  app.add_flag("--info", options.info,
               "say what this program was built from and finds here, and stop");
  app.add_flag("--dry-run", options.dry_run,
               "see whether flags, data, device and network are in order, print the options as "
               "run.json has them, and stop");
}

void add_model_flag(CLI::App& app, TrainingOptions& options,
                    const std::vector<std::string>& models) {
  app.add_option("--model", options.model, "the network")
      ->check(one_of(models, "model"))
      ->capture_default_str();
  add_number(app, "--width", options.width,
             "channels of the first stage of preactresnet18 and preactresnet34 [64]",
             {.least = 1, .most = 4096});
}

void add_regularisation_flags(CLI::App& app, TrainingOptions& options) {
  app.add_option("--augment", options.augment,
                 "what is done to training images, drawn again in each epoch: none, or some of "
                 "crop[:padding=4,reflect=false], flip, alternate (flip in every other epoch), "
                 "cutout[:size=16] and erase, as in crop+flip")
      ->check(augmentation())
      ->capture_default_str();
  app.add_option("--test-views", options.test_views,
                 "in the last epoch, test by the weighted logits of several views of an image: "
                 "mirror, or mirror+translate, six of them")
      ->check(accepted_by([](const std::string& text) { views_named(text); },
                          "none|mirror|mirror+translate"))
      ->capture_default_str();
  add_number(app, "--label-smoothing", options.label_smoothing,
             "share of the target that is spread over all classes", {.least = 0, .most = 1})
      ->capture_default_str();
  add_number(app, "--average", options.average,
             "test and keep a moving average of the weights with this decay, such as 0.999; 0: "
             "the weights themselves",
             {.least = 0, .most = 0.999999})
      ->capture_default_str();
  add_number(app, "--lookahead", options.lookahead,
             "pull the weights back, after each N steps, towards an average of them, from which "
             "training goes on, and which is tested and kept; 0: never",
             {.least = 0, .most = kMostCounted})
      ->capture_default_str();
  app.add_option("--learn-until", options.learn_until,
                 "the epochs after which parameters with these texts in their names stay as they "
                 "are, as in whiten=3")
      ->check(by_name());
  add_number(app, "--freeze-activations-until", options.freeze_activations_until,
             "epochs at the start in which the activations' coefficients stay as they are",
             {.least = 0})
      ->capture_default_str();
}

namespace {

/// Whether one of these flags stands anywhere on the command line, in front of a `--`.
bool is_typed(int argc, char** argv, const std::vector<std::string>& flags) {
  const std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  const auto end = std::find(words.begin(), words.end(), "--");
  return std::find_first_of(words.begin(), end, flags.begin(), flags.end()) != end;
}

int print_help(CLI::App& app) {
  app.name(typed_command());
  std::cout << app.help();
  return 0;
}

int print_version() {
  const BuildInfo build = build_info();
  std::cout << "Padé " << build.version << " (" << build.commit << "), " << build.compiler << '\n';
  return 0;
}

/// Says what went wrong, and ends the other ranks, if there are any. What all ranks meet with, such
/// as a loss that is NaN, the first one says: it ends the others while these wait here.
void report_error(const CLI::App& app, const std::string& message) {
  Communicator* const ranks = Communicator::joined();
  const bool is_first = !ranks || ranks->rank() == 0;
  if (!is_first) std::this_thread::sleep_for(std::chrono::seconds(2));
  std::cerr << app.get_name() << ": "
            << (is_first ? "" : "rank " + std::to_string(ranks->rank()) + ": ") << message << '\n';
  if (ranks) ranks->abort(1);
}

int parse_and_run(CLI::App& app, int argc, char** argv, const std::function<int()>& program) {
  app.add_flag("--version")->description("Print version, commit and compiler and exit");
  const bool wants_help = is_typed(argc, argv, {"--help", "-h"});
  if (!wants_help && is_typed(argc, argv, {"--version"})) return print_version();
  try {
    const bool takes_extras = app.get_allow_extras() && app.get_subcommands(nullptr).empty();
    app.allow_extras();
    app.parse(argc, argv);
    if (!takes_extras && !app.remaining(true).empty())
      throw CLI::ExtrasError(describe_extras(app), CLI::ExitCodes::ExtrasError);
    if (!app.get_subcommands(nullptr).empty() && app.get_subcommands().empty())
      throw CLI::RequiredError("a command");
  } catch (const CLI::ParseError& error) {
    // CLI11 looks at the values of other flags before it asks for help.
    if (wants_help) return print_help(app);
    std::cerr << app.get_name() << ": " << on_one_line(error.what()) << "\nTry " << typed_command()
              << " --help\n";
    return 2;
  }
  try {
    return bad_alloc_as_error(program);
  } catch (const std::exception& error) {
    report_error(app, on_one_line(error.what()));
    return 1;
  }
}

}  // namespace

int run_program(CLI::App& app, int argc, char** argv, const std::function<int()>& program) {
  open_standard_descriptors();
  const int exit_code = parse_and_run(app, argc, argv, program);
  return exit_code == 0 && !finish_output(app) ? 1 : exit_code;
}

}  // namespace pade::support
