#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>

#include <pade/core/error.h>
#include <pade/core/io/atomic_file.h>
#include <pade/core/text_stream.h>
#include <pade/data/process.h>
#include <pade/layers/rational.h>
#include <pade/layers/rational_regions.h>

#include "lab/lab.h"
#include "support/gnuplot.h"
#include "support/number_option.h"

namespace pade::lab {
namespace {

struct Options {
  std::vector<std::string> activations;
  std::string out;
  double from = -5, to = 5;
  bool poles = false;
};

constexpr int kPoints = 401;

/// Columns x, f, f′, f″ of each activation, as data blocks $curve0, $curve1 …
std::string data_blocks(const std::vector<std::string>& specs, double from, double to) {
  TextStream out;
  for (size_t i = 0; i < specs.size(); ++i) {
    const auto activation = make_activation(specs[i]);
    out << "$curve" << i << " << END\n";
    for (int k = 0; k < kPoints; ++k) {
      const double x = from + (to - from) * k / (kPoints - 1);
      const Derivatives at = activation->derivatives(x);
      out << x << ' ' << at.value << ' ' << at.slope << ' ' << at.curvature << '\n';
    }
    out << "END\n";
  }
  out << "set xrange [" << from << ':' << to << "]\n";
  return out.str();
}

std::string panel(const std::vector<std::string>& specs, const std::string& title, int column) {
  TextStream out;
  out << "set ylabel '" << title << "'\nplot ";
  for (size_t i = 0; i < specs.size(); ++i)
    out << (i ? ", " : "") << "$curve" << i << " using 1:" << column << " with lines lw 2 lc '"
        << support::plot_colour(i) << "' title " << support::gnuplot_quoted(specs[i]);
  out << '\n';
  return out.str();
}

/// Curve, slope and curvature below one another, with one legend to the right of them.
std::string picture_script(const std::vector<std::string>& specs, const std::string& terminal) {
  size_t longest = 0;
  for (const std::string& spec : specs) longest = std::max(longest, spec.size());
  TextStream out;
  out << "set terminal " << terminal
      << "\nset grid lc '#dddddd'\nset xzeroaxis lc '#888888'\nset yzeroaxis lc '#888888'\n"
      << "set key outside right top noenhanced samplen 2\nset lmargin 9\nset rmargin "
      << longest + 8 << "\n"
      << "set multiplot layout 3,1\n"
      << panel(specs, "f(x)", 2) << "unset key\n"
      << panel(specs, "slope", 3) << "set xlabel 'x'\n"
      << panel(specs, "curvature", 4) << "unset multiplot\n";
  return out.str();
}

/// The curve alone, in characters.
std::string terminal_script(const std::vector<std::string>& specs) {
  return "set terminal dumb 100 32\nset key top left noenhanced\nset xlabel 'x'\n" +
         panel(specs, "f(x)", 2);
}

std::string drawn(const std::string& script) {
  const std::optional<std::string> picture = support::run_gnuplot(script);
  check(picture.has_value(), "plot: gnuplot failed or drew nothing");
  return *picture;
}

/// Poles and zeros of the first activation's quotients, each over the stretch of the real line on
/// which that quotient is the function.
std::string poles_script(const std::string& spec, const std::string& terminal) {
  const auto activation = make_activation(spec, 1, DType::float64);
  const auto* rational = dynamic_cast<Rational*>(activation.get());
  check(rational, "plot: ", spec, " is not rational: it has no poles to draw");
  TextStream out;
  const auto block = [&](const char* name, auto&& roots_of) {
    out << '$' << name << " << END\n";
    int colour = 0;
    for (const RationalRegion& region : regions_of(rational->function())) {
      for (const auto& root : roots_of(region))
        out << root.real() << ' ' << root.imag() << ' ' << colour << '\n';
      ++colour;
    }
    out << "END\n";
  };
  block("poles", [](const RationalRegion& region) { return region.poles; });
  block("zeros", [](const RationalRegion& region) { return region.zeros; });
  out << "set terminal " << terminal << "\nset title "
      << support::gnuplot_quoted("poles and zeros of " + spec) << " noenhanced\n"
      << "set grid lc '#dddddd'\nset xzeroaxis lc '#888888'\nset yzeroaxis lc '#888888'\n"
      << "set xlabel 'real part'\nset ylabel 'imaginary part'\nset key outside right top\n"
      << "set size ratio -1\nset cbtics 1\nset cblabel 'stretch of the real line, from the left' "
         "offset 1\n"
      << "set palette defined (0 '#440154', 1 '#3b528b', 2 '#21918c', 3 '#5ec962', 4 '#d0b000')\n"
      << "plot $poles using 1:2:3 with points pt 2 ps 1.4 lw 2 palette notitle, "
      << "$zeros using 1:2:3 with points pt 6 ps 1.4 lw 2 palette notitle, "
      << "keyentry with points pt 2 ps 1.4 lw 2 lc '#444444' title 'poles', "
      << "keyentry with points pt 6 ps 1.4 lw 2 lc '#444444' title 'zeros'\n";
  return out.str();
}

int plot(const Options& options) {
  check(options.from < options.to, "plot: --from ", options.from, " is not below --to ",
        options.to);
  check(data::has_program("gnuplot"), "plot: gnuplot is missing; apt-get install gnuplot-nox");
  const std::string data = data_blocks(options.activations, options.from, options.to);
  check(!options.poles || !options.out.empty(), "plot: --poles needs --out");
  if (options.out.empty()) {
    std::cout << drawn(data + terminal_script(options.activations));
    return 0;
  }
  const bool is_svg = options.out.ends_with(".svg");
  check(is_svg || options.out.ends_with(".png"), "--out ", options.out,
        ": expected a name that ends in .svg or .png");
  const std::string size = options.poles ? "900,600" : "800,900";
  const std::string terminal = std::string(is_svg ? "svg" : "pngcairo") + " size " + size +
                               " font 'Helvetica,14' background '#ffffff'";
  write_file_atomically(
      options.out, drawn(options.poles ? poles_script(options.activations[0], terminal)
                                       : data + picture_script(options.activations, terminal)));
  std::cout << "wrote " << options.out << '\n';
  return 0;
}

}  // namespace

void add_plot(CLI::App& app, Work& work) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("plot", "the curve, its slope and its curvature, drawn by gnuplot");
  add_activations(*command, options->activations)->required();
  support::add_number(*command, "--from", options->from, "left end")->capture_default_str();
  support::add_number(*command, "--to", options->to, "right end")->capture_default_str();
  command->add_option("--out", options->out, "FILE.svg or FILE.png [drawn in the terminal]");
  command->add_flag("--poles", options->poles,
                    "instead, the first one's poles and zeros in the complex plane");
  command->callback([options, &work] { work = [options] { return plot(*options); }; });
}

}  // namespace pade::lab
