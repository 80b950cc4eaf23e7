#include "support/activation_plot.h"

#include <algorithm>
#include <vector>

#include "support/curve.h"
#include "support/gnuplot.h"
#include "support/layer_panels.h"
#include "support/run_history.h"

namespace pade::support {
namespace {

constexpr size_t kMostDrawn = 64;  // of a layer's groups; more are a smear, and a large file
constexpr size_t kLongestName = 20;

LayerPanel panel_of(const LayerHistory& layer) {
  const std::vector<double> x = even_points(layer.low, layer.high, kPanelPoints);
  const std::vector<ActivationFunction>& now = layer.functions.back().groups;
  LayerPanel panel{shortened(layer.name, kLongestName), x,
                   band_of(layer.functions.front().groups, x).mean, band_of(now, x).mean};
  const size_t drawn = now.size() > 1 ? std::min(now.size(), kMostDrawn) : 0;
  for (size_t i = 0; i < drawn; ++i)  // spread over all
    panel.groups.push_back(sampled_values(now[i * now.size() / drawn], x));
  if (drawn > 0)
    panel.title += ": mean of " + std::to_string(now.size()) +
                   (drawn < now.size() ? ", " + std::to_string(drawn) + " shown" : " groups");
  return panel;
}

std::vector<LayerPanel> panels_of(const RunFolder& folder, Module& network) {
  std::vector<LayerPanel> panels;
  for (const LayerHistory& layer : read_history(folder.path(), network))
    if (layer.learned && !layer.functions.empty()) panels.push_back(panel_of(layer));
  return panels;
}

}  // namespace

std::string plot_activations(const RunFolder& folder, Module& network) {
  const std::vector<LayerPanel> panels = panels_of(folder, network);
  if (panels.empty()) return "";
  const PanelsPicture picture = picture_of(panels);
  if (draw_svg(folder.path(), "activations", picture.width, picture.height, picture.script))
    return "what each activation became: " + folder.file("activations.svg");
  return "gnuplot is missing or failed; with it, activations.gp in the run folder draws the "
         "activations";
}

}  // namespace pade::support
