#pragma once

#include <functional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "support/training_options.h"

namespace pade::support {

/// Accepts what make_activation() accepts once it has been resolved (resolved_spec()), which a
/// transform() does.
CLI::Validator activation_spec();
/// Accepts these names, and refuses others as fail_unknown_name() does.
CLI::Validator one_of(const std::vector<std::string>& names, const std::string& what);

/// Adds the flags that all training programs have to `app`; these data sets are known by name.
void add_training_flags(CLI::App& app, TrainingOptions& options,
                        const std::vector<std::string>& datasets);
/// Accepts paths that run.json can hold. Those of Linux may be any bytes; JSON's texts are UTF-8.
CLI::Validator recordable_path();

/// Adds --model, which is one of these, and --width.
void add_model_flag(CLI::App& app, TrainingOptions& options,
                    const std::vector<std::string>& models);
/// Adds those for networks that need more than a rate: --augment, --test-views, --label-smoothing,
/// --average, --lookahead, --learn-until, --freeze-activations-until.
void add_regularisation_flags(CLI::App& app, TrainingOptions& options);

/// Parses the command line, of which nothing may be left over (unless `app` has no commands and
/// allows extras), then runs `program`; what main() returns: 0 done, 1 the work failed or what it
/// printed could not be written to stdout (a message says so on stderr), 2 the command line is
/// wrong, or what `program` returns. Where stdin, stdout or stderr is closed, /dev/null takes its
/// place. --help and -h, whatever else is typed, print the help of the program or of the command
/// that is named before them, and --version a line; both return 0.
int run_program(CLI::App& app, int argc, char** argv, const std::function<int()>& program);

}  // namespace pade::support
