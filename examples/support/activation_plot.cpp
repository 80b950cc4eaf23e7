#include "support/activation_plot.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include <pade/core/text_stream.h>

#include "support/curve.h"
#include "support/gnuplot.h"
#include "support/run_history.h"

namespace pade::support {
namespace {

constexpr int kPoints = 161;
constexpr size_t kMostDrawn = 64;  // of a layer's groups; more are a smear, and a large file
constexpr size_t kLongestName = 20;

/// A learned layer at its first and last epoch.
struct Panel {
  std::string title;
  std::vector<double> x, start, learned;         ///< of several groups the mean
  std::vector<std::vector<double>> groups = {};  ///< at the end; none where there is one
  std::pair<double, double> y = {};
};

Panel panel_of(const LayerHistory& layer) {
  const std::vector<double> x = even_points(layer.low, layer.high, kPoints);
  const std::vector<ActivationFunction>& now = layer.functions.back().groups;
  Panel panel{shortened(layer.name, kLongestName), x,
              band_of(layer.functions.front().groups, x).mean, band_of(now, x).mean};
  const size_t drawn = now.size() > 1 ? std::min(now.size(), kMostDrawn) : 0;
  for (size_t i = 0; i < drawn; ++i)  // spread over all
    panel.groups.push_back(sampled_values(now[i * now.size() / drawn], x));
  if (drawn > 0)
    panel.title += ": mean of " + std::to_string(now.size()) +
                   (drawn < now.size() ? ", " + std::to_string(drawn) + " shown" : " groups");
  std::vector<double> all = panel.start;
  all.insert(all.end(), panel.learned.begin(), panel.learned.end());
  for (const auto& group : panel.groups) all.insert(all.end(), group.begin(), group.end());
  panel.y = shown_range(all);
  return panel;
}

std::vector<Panel> panels_of(const RunFolder& folder, Module& network) {
  std::vector<Panel> panels;
  for (const LayerHistory& layer : read_history(folder.path(), network))
    if (layer.learned && !layer.functions.empty()) panels.push_back(panel_of(layer));
  return panels;
}

/// Round numbers below a small plot, at most six steps apart, so that they have room.
std::string tics_script(double low, double high) {
  constexpr double kSteps = 6;
  const double power = std::pow(10, std::floor(std::log10((high - low) / kSteps)));
  double step = power;
  for (const double factor : {10, 5, 2})
    if (factor * power >= (high - low) / kSteps) step = factor * power;
  TextStream out;
  out << "set xtics " << step << '\n';
  return out.str();
}

/// Of the picture, in layers.
struct Layout {
  int columns, rows;
};

Layout layout_of(const std::vector<Panel>& panels) {
  const int count = static_cast<int>(panels.size()), columns = std::min(4, count);
  return {columns, (count + columns - 1) / columns};
}

std::string gnuplot_script(const std::vector<Panel>& panels, Layout picture) {
  TextStream out;
  for (size_t i = 0; i < panels.size(); ++i) {
    const Panel& panel = panels[i];
    out << "$layer" << i << " << END\n";
    for (size_t k = 0; k < panel.x.size(); ++k) {
      out << panel.x[k] << ' ' << panel.start[k] << ' ' << panel.learned[k];
      for (const auto& group : panel.groups) out << ' ' << group[k];
      out << '\n';
    }
    out << "END\n";
  }
  out << "set multiplot layout " << picture.rows << ',' << picture.columns << "\n"
      << "set grid lc '#dddddd'\nset key outside bottom center horizontal samplen 1.5\n";
  for (size_t i = 0; i < panels.size(); ++i) {
    const Panel& panel = panels[i];
    const std::string data = "$layer" + std::to_string(i) + " using 1:";
    out << "set title " << gnuplot_quoted(panel.title) << " noenhanced\n"
        << range_script('x', {panel.x.front(), panel.x.back()})
        << tics_script(panel.x.front(), panel.x.back()) << range_script('y', panel.y) << "plot ";
    if (!panel.groups.empty())
      out << "for [k=4:" << 3 + panel.groups.size() << "] " << data
          << "k with lines lw 0.7 lc '#e3a49c' notitle, ";
    out << data << "2 with lines lw 1.5 dt 2 lc '#888888' title 'start', " << data
        << "3 with lines lw 2 lc '#c0392b' title 'learned'\n";
  }
  out << "unset multiplot\n";
  return out.str();
}

}  // namespace

std::string plot_activations(const RunFolder& folder, Module& network) {
  const std::vector<Panel> panels = panels_of(folder, network);
  if (panels.empty()) return "";
  const Layout picture = layout_of(panels);
  if (draw_svg(folder.path(), "activations", 260 * picture.columns, 265 * picture.rows + 20,
               gnuplot_script(panels, picture)))
    return "what each activation became: " + folder.file("activations.svg");
  return "gnuplot is missing or failed; with it, activations.gp in the run folder draws the "
         "activations";
}

}  // namespace pade::support
