#include <algorithm>
#include <cmath>
#include <complex>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <pade/core/error.h>
#include <pade/core/text_stream.h>
#include <pade/data/process.h>
#include <pade/layers/study/rational_regions.h>

#include "lab/findings.h"
#include "lab/interval.h"
#include "lab/lab.h"
#include "lab/picture.h"
#include "support/curve.h"
#include "support/gnuplot.h"
#include "support/layer_panels.h"
#include "support/learned_layers.h"

namespace pade::lab {
namespace {

struct Options {
  std::string run;
  std::vector<std::string> activations;
  std::string out;
  Interval interval;
  std::pair<double, double> range;
  bool poles = false;
};

constexpr int kPoints = 401;

/// One of the quantities that are drawn of every activation.
struct Quantity {
  const char* title;
  double Derivatives::*of;
};
constexpr Quantity kQuantities[] = {{"f(x)", &Derivatives::value},
                                    {"slope", &Derivatives::slope},
                                    {"curvature", &Derivatives::curvature}};

/// What there is to draw of some activations, and where its legend is.
class Curves {
 public:
  Curves(const std::vector<std::string>& specs, std::pair<double, double> range)
      : specs_(specs), x_(support::even_points(range.first, range.second, kPoints)) {
    for (const std::string& spec : specs)
      curves_.push_back(support::sampled(make_activation(spec)->as_function(), x_));
  }

  /// Columns x, f, f′, f″ of each activation, as data blocks $curve0, $curve1 …
  std::string data_blocks() const {
    TextStream out;
    for (size_t i = 0; i < curves_.size(); ++i) {
      out << "$curve" << i << " << END\n";
      for (size_t k = 0; k < x_.size(); ++k) {
        const Derivatives& at = curves_[i][k];
        out << x_[k] << ' ' << at.value << ' ' << at.slope << ' ' << at.curvature << '\n';
      }
      out << "END\n";
    }
    out << support::range_script('x', {x_.front(), x_.back()});
    return out.str();
  }

  /// The plot of one quantity, whose titles have at most so many characters.
  std::string panel(const Quantity& quantity, size_t width) const {
    TextStream out;
    std::pair<double, double> range{INFINITY, -INFINITY};
    for (const auto& curve : curves_) {
      std::vector<double> values;
      for (const Derivatives& at : curve) values.push_back(at.*quantity.of);
      const auto [low, high] = support::shown_range(values);
      range = {std::min(range.first, low), std::max(range.second, high)};
    }
    out << "set ylabel '" << quantity.title << "'\n"
        << support::range_script('y', range) << "plot ";
    const auto column = 2 + (&quantity - kQuantities);
    for (size_t i = 0; i < specs_.size(); ++i)
      out << (i ? ", " : "") << "$curve" << i << " using 1:" << column << " with lines lw 2 "
          << support::line_style(i) << " title "
          << support::gnuplot_quoted(support::shortened(specs_[i], width));
    out << '\n';
    return out.str();
  }

  /// The legend in columns below the plots: as many as `width` characters have room for.
  size_t columns(size_t width) const {
    constexpr size_t kSample = 8;  // characters, for a piece of the line
    size_t longest = 0;
    for (const std::string& spec : specs_) longest = std::max(longest, spec.size());
    return std::clamp<size_t>(width / (longest + kSample), 1, specs_.size());
  }
  size_t rows(size_t width) const { return (specs_.size() + columns(width) - 1) / columns(width); }

 private:
  std::vector<std::string> specs_;
  std::vector<double> x_;
  std::vector<std::vector<Derivatives>> curves_;  ///< by activation
};

/// Curve, slope and curvature below one another, with one legend below them.
void draw_picture(const std::string& path, const Curves& curves) {
  constexpr int kWidth = 800, kPanel = 270, kLegendRow = 20, kXLabel = 60;
  constexpr size_t kCharacters = 75;  // that fit beside one another
  const int rows = static_cast<int>(curves.rows(kCharacters));
  const int height = 3 * kPanel + kXLabel + rows * kLegendRow;
  TextStream script;
  script << curves.data_blocks() << axes_script() << "set key at screen 0.03, screen "
         << (rows + 0.5) * kLegendRow / height << " left top Left reverse vertical maxrows " << rows
         << " noenhanced samplen 2\n"
         << "set lmargin 11\nset rmargin 3\nset multiplot\n";
  for (int i = 0; i < 3; ++i) {
    const double bottom = height - (i + 1) * kPanel + 25, top = height - i * kPanel - 15;
    script << "set bmargin at screen " << bottom / height << "\nset tmargin at screen "
           << top / height << '\n'
           << (i == 2 ? "set xlabel 'x'\n" : "") << curves.panel(kQuantities[i], kCharacters)
           << "unset key\n";
  }
  script << "unset multiplot\n";
  write_picture(path, kWidth, height, script.str());
}

/// The curve alone, in characters.
void draw_in_terminal(const Curves& curves) {
  constexpr size_t kCharacters = 66;
  const size_t rows = curves.rows(kCharacters);
  std::cout << drawn(
      "set terminal dumb 79 " + std::to_string(24 + rows) + '\n' + curves.data_blocks() +
      "set key outside bottom center vertical noenhanced maxrows " + std::to_string(rows) +
      "\nset xlabel 'x'\n" + curves.panel(kQuantities[0], kCharacters));
}

/// A square that holds all roots, with room around.
std::string ranges_around(const std::vector<std::complex<double>>& roots) {
  double left = INFINITY, right = -INFINITY, top = 0;
  for (const auto& root : roots) {
    left = std::min(left, root.real());
    right = std::max(right, root.real());
    top = std::max(top, std::abs(root.imag()));
  }
  const double middle = (left + right) / 2;
  const double half = 1.1 * std::max({(right - left) / 2, top, 0.5});
  return support::range_script('x', {middle - half, middle + half}) +
         support::range_script('y', {-half, half});
}

/// Poles and zeros of an activation's quotients, each over the stretch of the real line on which
/// that quotient is the function.
void draw_poles(const std::string& path, const std::string& spec) {
  const ActivationFunction function = make_activation(spec, 1, DType::float64)->as_function();
  check(function.rational(), "plot: ", spec, " is not rational: it has no poles to draw");
  const std::vector<RationalRegion> regions = regions_of(*function.rational());
  std::vector<std::complex<double>> all;
  TextStream blocks, plots;
  const auto add = [&](const char* name, int symbol, auto roots) {
    TextStream block;
    const size_t before = all.size();
    for (size_t i = 0; i < regions.size(); ++i)
      for (const auto& root : regions[i].*roots) {
        block << root.real() << ' ' << root.imag() << ' ' << i << '\n';
        all.push_back(root);
      }
    if (all.size() > before) {
      blocks << '$' << name << " << END\n" << block.str() << "END\n";
      plots << '$' << name << " using 1:2:3 with points pt " << symbol
            << " ps 1.4 lw 2 palette notitle, ";
    }
    plots << "keyentry with points pt " << symbol << " ps 1.4 lw 2 lc '#444444' title '" << name
          << (all.size() > before ? "', " : ": none', ");
  };
  add("poles", 2, &RationalRegion::poles);
  add("zeros", 6, &RationalRegion::zeros);
  check(!all.empty(), "plot: ", spec, " has neither poles nor zeros");
  const std::string plot = plots.str();
  const auto last = std::max<size_t>(regions.size() - 1, 1);
  write_picture(
      path, 900, 760,
      blocks.str() + "set title " +
          support::gnuplot_quoted("poles and zeros of " + support::shortened(spec, 80)) +
          " noenhanced\n" + axes_script() + ranges_around(all) +
          "set xlabel 'real part'\nset ylabel 'imaginary part'\nset key outside right top\n"
          "set size ratio -1\nset cbtics 1\nset cbrange [0:" +
          std::to_string(last) +
          "]\nset cblabel 'stretch of the real line, from the left' offset 1\n" +
          (regions.size() == 1 ? "unset colorbox\n" : "") +
          "set palette defined (0 '#440154', 1 '#3b528b', 2 '#21918c', 3 '#5ec962', "
          "4 '#d0b000')\nplot " +
          plot.substr(0, plot.size() - 2) + '\n');
}

/// Every learned layer of a run or a file over its inputs, before and after.
int plot_run(const Options& options) {
  const std::string hint = options.activations.empty() ? "" : options.activations[0];
  std::vector<support::LayerPanel> panels;
  for (const auto& layer : support::read_learned_network(options.run, hint).layers) {
    const SeenInputs seen(layer.inputs, options.interval);
    const auto x = support::even_points(seen.low, seen.high, support::kPanelPoints);
    panels.push_back({support::shortened(layer.name, 20), x,
                      support::sampled_values(layer.start.value_or(layer.now), x),
                      support::sampled_values(layer.now, x)});
  }
  if (options.out.empty()) {
    for (const support::LayerPanel& panel : panels)
      std::cout << drawn("set terminal dumb 79 24\n" + support::picture_of({panel}).script);
    return 0;
  }
  const support::PanelsPicture picture = support::picture_of(panels);
  write_picture(options.out, picture.width, picture.height, picture.script);
  std::cout << "wrote " << options.out << '\n';
  return 0;
}

int plot(const Options& options) {
  check(!options.poles || !options.out.empty(), "plot: --poles needs --out");
  if (!options.out.empty()) check_picture(options.out);
  if (!options.run.empty()) return plot_run(options);
  if (options.poles)
    draw_poles(options.out, options.activations[0]);
  else if (const Curves curves(options.activations, options.range); options.out.empty())
    draw_in_terminal(curves);
  else
    draw_picture(options.out, curves);
  if (!options.out.empty()) std::cout << "wrote " << options.out << '\n';
  return 0;
}

}  // namespace

void add_plot(CLI::App& app, Work& work) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("plot", "the curve, its slope and its curvature, drawn by gnuplot");
  command->add_option("run", options->run,
                      "run folder or safetensors file: all that its layers have learned");
  add_activations(*command, options->activations);
  add_interval(*command, options->interval);
  command->add_option("--out", options->out, "FILE.svg or FILE.png [drawn in the terminal]");
  command->add_flag("--poles", options->poles,
                    "instead, the first one's poles and zeros in the complex plane");
  command->callback([options, &work] {
    if (options->run.empty() && options->activations.empty())
      throw CLI::RequiredError("--activation, or a run,");
    options->range = options->interval.over({-5, 5});
    work = [options] { return plot(*options); };
  });
}

}  // namespace pade::lab
