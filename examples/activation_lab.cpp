// A laboratory for activations: evaluate, fit, analyse, plot, time, inspect, export and distil
// them.

#include "lab/lab.h"
#include "support/command.h"
#include "support/options.h"

int main(int argc, char** argv) {
  CLI::App app("Looks at activations, one at a time or side by side.", "activation_lab");
  app.allow_extras();
  pade::lab::Work work;
  pade::lab::add_list(app, work);
  pade::lab::add_eval(app, work);
  pade::lab::add_fit(app, work);
  pade::lab::add_analyse(app, work);
  pade::lab::add_plot(app, work);
  pade::lab::add_bench(app, work);
  pade::lab::add_inspect(app, work);
  pade::lab::add_export(app, work);
  pade::lab::add_distil(app, work);
  const pade::support::Examples examples{
      {"list", ""},
      {"eval --activation hp1 --from -5 --to 5 --points 11", ""},
      {"fit --target gelu --activation hp2 --interval -6:6 --norm max", ""},
      {"analyse --activation hp1", ""},
      {"plot --activation 'relu;swish;hp1;hp2' --out activations.svg", ""},
      {"bench --activation 'relu;gelu;hp1'", ""},
      {"inspect runs/…", ""},
      {"export hp1 --format latex", ""},
      {"export 'runs/…#act1' --format c --out act1.h", ""},
      {"export runs/… --format onnx --out network.onnx", ""},
      {"distil runs/…", ""}};
  for (CLI::App* command : app.get_subcommands(nullptr)) {
    pade::support::Examples own;
    for (const auto& example : examples)
      if (example.first.starts_with(command->get_name())) own.push_back(example);
    command->footer(pade::support::examples_text(own));
  }
  app.footer(pade::support::examples_text(examples) + "\n" + pade::support::typed_command() +
             " COMMAND --help says more.");
  return pade::support::run_program(app, argc, argv, [&] { return work(); });
}
