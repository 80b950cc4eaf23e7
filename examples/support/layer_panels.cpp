#include "support/layer_panels.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <pade/core/text_stream.h>

#include "support/curve.h"
#include "support/gnuplot.h"

namespace pade::support {
namespace {

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

std::pair<double, double> shown(const LayerPanel& panel) {
  std::vector<double> all = panel.start;
  all.insert(all.end(), panel.learned.begin(), panel.learned.end());
  for (const auto& group : panel.groups) all.insert(all.end(), group.begin(), group.end());
  return shown_range(all);
}

}  // namespace

PanelsPicture picture_of(const std::vector<LayerPanel>& panels) {
  const int count = static_cast<int>(panels.size()), columns = std::min(4, count),
            rows = (count + columns - 1) / columns;
  TextStream out;
  for (size_t i = 0; i < panels.size(); ++i) {
    const LayerPanel& panel = panels[i];
    out << "$layer" << i << " << END\n";
    for (size_t k = 0; k < panel.x.size(); ++k) {
      out << panel.x[k] << ' ' << panel.start[k] << ' ' << panel.learned[k];
      for (const auto& group : panel.groups) out << ' ' << group[k];
      out << '\n';
    }
    out << "END\n";
  }
  out << "set multiplot layout " << rows << ',' << columns << "\n"
      << "set grid lc '#dddddd'\nset key outside bottom center horizontal samplen 1.5\n";
  for (size_t i = 0; i < panels.size(); ++i) {
    const LayerPanel& panel = panels[i];
    const std::string data = "$layer" + std::to_string(i) + " using 1:";
    out << "set title " << gnuplot_quoted(panel.title) << " noenhanced\n"
        << range_script('x', {panel.x.front(), panel.x.back()})
        << tics_script(panel.x.front(), panel.x.back()) << range_script('y', shown(panel))
        << "plot ";
    if (!panel.groups.empty())
      out << "for [k=4:" << 3 + panel.groups.size() << "] " << data
          << "k with lines lw 0.7 lc '#e3a49c' notitle, ";
    out << data << "2 with lines lw 1.5 dt 2 lc '#888888' title 'start', " << data
        << "3 with lines lw 2 lc '#c0392b' title 'learned'\n";
  }
  out << "unset multiplot\n";
  return {out.str(), 260 * columns, 265 * rows + 20};
}

}  // namespace pade::support
