#include "support/activation_plot.h"

#include <algorithm>
#include <map>
#include <utility>

#include <pade/core/text_stream.h>
#include <pade/layers/rational.h>

#include "support/csv.h"
#include "support/gnuplot.h"

namespace pade::support {
namespace {

constexpr double kFrom = -5, kTo = 5;
constexpr int kPoints = 101;

struct Curve {
  std::string title;
  RationalFunction before, after;
};

/// The coefficients of epoch 0, by layer name, c and d one after another.
std::map<std::string, std::vector<double>> starting_coefficients(const std::string& path) {
  std::map<std::string, std::vector<double>> coefficients;
  const CsvFile file(path);
  for (const CsvFile::Row& row : file.rows())
    if (file.number(row, 0) == 0) coefficients[file.text(row, 2)] = file.numbers(row, 3);
  return coefficients;
}

/// The first group of every rational layer.
std::vector<Curve> curves_of(Module& network, const std::string& activations_csv) {
  const auto starts = starting_coefficients(activations_csv);
  std::vector<Curve> curves;
  network.for_each_module([&](const std::string& name, Module& module) {
    auto* rational = dynamic_cast<Rational*>(&module);
    if (!rational) return;
    const auto start = starts.find(rational->groups() > 1 ? name + "[0]" : name);
    Curve curve{name, rational->function(), rational->function()};
    const size_t count = curve.before.c.size() + curve.before.d.size();
    if (start == starts.end() || start->second.size() != count) return;
    const auto split = start->second.begin() + static_cast<int64_t>(curve.before.c.size());
    curve.before.c.assign(start->second.begin(), split);
    curve.before.d.assign(split, start->second.end());
    curves.push_back(std::move(curve));
  });
  return curves;
}

/// Of the picture, in layers.
struct Layout {
  int columns, rows;
};

Layout layout_of(const std::vector<Curve>& curves) {
  const int count = static_cast<int>(curves.size()), columns = std::min(4, count);
  return {columns, (count + columns - 1) / columns};
}

std::string gnuplot_script(const std::vector<Curve>& curves, Layout picture) {
  TextStream out;
  for (size_t i = 0; i < curves.size(); ++i) {
    out << "$layer" << i << " << END\n";
    for (int k = 0; k < kPoints; ++k) {
      const double x = kFrom + (kTo - kFrom) * k / (kPoints - 1);
      out << x << ' ' << curves[i].before(x) << ' ' << curves[i].after(x) << '\n';
    }
    out << "END\n";
  }
  out << "set multiplot layout " << picture.rows << ',' << picture.columns << "\n"
      << "set grid lc '#dddddd'\nset key top left samplen 1.5 noenhanced\nset xrange [" << kFrom
      << ':' << kTo << "]\n";
  for (size_t i = 0; i < curves.size(); ++i)
    out << "set title " << gnuplot_quoted(curves[i].title) << " noenhanced\n"
        << "plot $layer" << i
        << " using 1:2 with lines lw 1.5 dt 2 lc '#888888' title 'start', $layer" << i
        << " using 1:3 with lines lw 2 lc '#c0392b' title 'learned'\n";
  out << "unset multiplot\n";
  return out.str();
}

}  // namespace

std::string plot_activations(const RunFolder& folder, Module& network) {
  const std::vector<Curve> curves = curves_of(network, folder.file("activations.csv"));
  if (curves.empty()) return "";
  const Layout picture = layout_of(curves);
  if (draw_svg(folder.path(), "activations", 260 * picture.columns, 250 * picture.rows + 20,
               gnuplot_script(curves, picture)))
    return "what each activation became: " + folder.file("activations.svg");
  return "gnuplot is missing or failed; with it, activations.gp in the run folder draws the "
         "activations";
}

}  // namespace pade::support
