#pragma once

#include <string>
#include <vector>

/// Learned layers side by side, as gnuplot draws them.
namespace pade::support {

/// A layer before and after training.
struct LayerPanel {
  std::string title;
  std::vector<double> x, start, learned;         ///< at each x; of several groups the mean
  std::vector<std::vector<double>> groups = {};  ///< of several, each at the end, drawn faint
};

constexpr int kPanelPoints = 161;

/// The picture's script, which sets no terminal, and its size in pixels.
struct PanelsPicture {
  std::string script;
  int width, height;
};
PanelsPicture picture_of(const std::vector<LayerPanel>& panels);

}  // namespace pade::support
