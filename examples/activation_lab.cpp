// A laboratory for activations: evaluate, fit, analyse, plot, time and inspect them.

#include "lab/lab.h"
#include "support/options.h"

int main(int argc, char** argv) {
  CLI::App app("Looks at activations, one at a time or side by side.", "activation_lab");
  app.footer(
      "Examples:\n"
      "  activation_lab list\n"
      "  activation_lab eval --activation hp1 --from -5 --to 5 --points 11\n"
      "  activation_lab fit --target gelu --activation hp2 --interval -6:6 --norm max\n"
      "  activation_lab analyse --activation hp1\n"
      "  activation_lab plot --activation 'relu;swish;hp1;hp2' --out activations.svg\n"
      "  activation_lab bench --activation 'relu;gelu;hp1'\n"
      "  activation_lab inspect runs/…\n"
      "activation_lab COMMAND --help says more.");
  app.allow_extras();
  pade::lab::Work work;
  pade::lab::add_list(app, work);
  pade::lab::add_eval(app, work);
  pade::lab::add_fit(app, work);
  pade::lab::add_analyse(app, work);
  pade::lab::add_plot(app, work);
  pade::lab::add_bench(app, work);
  pade::lab::add_inspect(app, work);
  return pade::support::run_program(app, argc, argv, [&] { return work(); });
}
