#include <iostream>
#include <vector>

#include <pade/core/error.h>
#include <pade/core/names.h>
#include <pade/data/locate.h>
#include <pade/layers/activation.h>

#include "support/options.h"

namespace pade::support {
namespace {

CLI::Validator one_of(const std::vector<std::string>& names, const std::string& what) {
  return CLI::Validator(
      [names, what](const std::string& name) -> std::string {
        try {
          if (std::find(names.begin(), names.end(), name) == names.end())
            fail_unknown_name(what, name, names);
          return "";
        } catch (const Error& error) {
          return error.what();
        }
      },
      [names] {
        std::string joined;
        for (const std::string& name : names) joined += (joined.empty() ? "" : "|") + name;
        return joined;
      }());
}

CLI::Validator at_least(int64_t least) {
  return CLI::Range(static_cast<double>(least), 1e15).description("N >= " + std::to_string(least));
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

}  // namespace

CLI::Validator activation_spec() {
  return CLI::Validator(
      [](const std::string& spec) -> std::string {
        try {
          make_activation(spec);
          return "";
        } catch (const Error& error) {
          return error.what();
        }
      },
      "SPEC");
}

void add_training_flags(CLI::App& app, TrainingOptions& options) {
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.add_option("--dataset", options.dataset, "what to learn")
      ->check(one_of(data::dataset_names(), "dataset"))
      ->capture_default_str();
  app.add_option("--activation", options.activation,
                 "the activation, as name[:key=value,…]: hp1, relu, leaky_relu:slope=0.1, "
                 "opau:basis=legendre,degrees=3/2")
      ->check(activation_spec())
      ->capture_default_str();
  app.add_option("--data", options.data,
                 "folder with the dataset's files; otherwise it is looked for "
                 "in $PADE_DATA, the system's packages and ~/.cache/pade, and "
                 "fetched where it is missing")
      ->type_name("DIR");
  app.add_option("--epochs", options.epochs, "passes over the training images")
      ->check(at_least(1))
      ->capture_default_str();
  app.add_option("--batch-size", options.batch_size, "images per step")
      ->check(at_least(1))
      ->capture_default_str();
  app.add_option("--optimizer", options.optimizer, "how weights follow gradients")
      ->check(one_of({"sgd", "adam", "adamw"}, "optimizer"))
      ->capture_default_str();
  app.add_option("--lr", options.lr, "learning rate")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--momentum", options.momentum, "of SGD")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  app.add_option("--weight-decay", options.weight_decay,
                 "of weights and biases; the activations' "
                 "coefficients have none")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--schedule", options.schedule,
                 "of the learning rate: cosine falls to 0 at the last "
                 "epoch, step divides by 10 after each third")
      ->check(one_of({"constant", "cosine", "step"}, "schedule"))
      ->capture_default_str();
  app.add_option("--activation-lr", options.activation_lr,
                 "learning rate of the activations' "
                 "coefficients [--lr]")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--clip", options.clip, "largest norm of all gradients together; 0: no limit")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--seed", options.seed, "of weights, order and dropout")->capture_default_str();
  app.add_option("--threads", options.threads,
                 "0: all processors; the result is the same for any "
                 "number")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  app.add_option("--device", options.device, "where to compute")
      ->check(one_of({"cpu", "cuda"}, "device"))
      ->capture_default_str();
  app.add_option("--out", options.out, "run folder [runs/<time>-<program>-<activation>-seed<N>]")
      ->type_name("DIR");
  app.add_option("--resume", options.resume, "go on with the run in this folder")->type_name("DIR");
  app.add_option("--limit", options.limit, "use only the first N training images")
      ->check(at_least(1));
  app.add_flag("--quiet", options.quiet, "print nothing but errors");
  app.add_flag("--info", options.info,
               "say what this program was built from and finds here, and stop");
}

int run_program(CLI::App& app, int argc, char** argv, const std::function<int()>& program) {
  try {
    app.allow_extras();
    app.parse(argc, argv);
    if (!app.remaining(true).empty())
      throw CLI::ExtrasError(describe_extras(app), CLI::ExitCodes::ExtrasError);
    if (!app.get_subcommands(nullptr).empty() && app.get_subcommands().empty())
      throw CLI::RequiredError("a command");
  } catch (const CLI::CallForHelp&) {
    std::cout << app.help();
    return 0;
  } catch (const CLI::ParseError& error) {
    std::cerr << app.get_name() << ": " << on_one_line(error.what()) << "\nTry " << app.get_name()
              << " --help\n";
    return 2;
  }
  try {
    return program();
  } catch (const std::exception& error) {
    std::cerr << app.get_name() << ": " << on_one_line(error.what()) << '\n';
    return 1;
  }
}

}  // namespace pade::support
