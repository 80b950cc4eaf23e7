#include "compare/pictures.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <string>

#include <pade/core/text_stream.h>

#include "support/gnuplot.h"

namespace pade::compare {
namespace {

using support::gnuplot_quoted;
using support::plot_colour;
using Summaries = std::vector<ActivationSummary>;

constexpr double kPercent = 100;
constexpr size_t kFewEpochs = 12;  // have a tic each
constexpr int kLegendRow = 18;     // pixels
constexpr int kFewRows = 16;       // have more room between them

/// Blocks $curve0, $curve1 …: epoch, mean, mean − std, mean + std.
std::string curve_blocks(const Summaries& summaries) {
  TextStream out;
  for (size_t i = 0; i < summaries.size(); ++i) {
    out << "$curve" << i << " << END\n";
    for (size_t epoch = 0; epoch < summaries[i].curve.size(); ++epoch) {
      const Sample& sample = summaries[i].curve[epoch];
      const double mean = kPercent * sample.mean, std = kPercent * sample.std.value_or(0);
      out << epoch + 1 << ' ' << mean << ' ' << mean - std << ' ' << mean + std << '\n';
    }
    out << "END\n";
  }
  return out.str();
}

/// All of the values with some room around, as gnuplot's "[low:high]"; of one value too.
class Range {
 public:
  void add(double value) {
    low_ = std::min(low_, value);
    high_ = std::max(high_, value);
  }
  std::string text() const {
    const double room = std::max(0.05 * (high_ - low_), 0.05);
    TextStream out;
    out << '[' << low_ - room << ':' << high_ + room << ']';
    return out.str();
  }

 private:
  double low_ = std::numeric_limits<double>::infinity(), high_ = -low_;
};

/// A long SPEC would leave no room for the plot beside it.
std::string title_of(const ActivationSummary& summary) {
  constexpr size_t kLongest = 40;
  return gnuplot_quoted(support::shortened(summary.activation, kLongest));
}

std::string accuracy_range(const Summaries& summaries) {
  Range range;
  for (const ActivationSummary& summary : summaries)
    for (const Sample& sample : summary.curve)
      for (double sign : {-1.0, 1.0})
        range.add(kPercent * (sample.mean + sign * sample.std.value_or(0)));
  return range.text();
}

std::string final_range(const Summaries& summaries) {
  Range range;
  for (const ActivationSummary& summary : summaries) {
    const Sample& sample = summary.test_accuracy;
    for (double sign : {-1.0, 1.0})
      range.add(kPercent * (sample.mean + sign * sample.half_width.value_or(0)));
    for (double accuracy : summary.finals) range.add(kPercent * accuracy);
  }
  return range.text();
}

std::string accuracy_script(const Summaries& summaries) {
  TextStream out;
  out << curve_blocks(summaries)
      << "set grid lc '#dddddd'\nset key outside right top maxcols 1 noenhanced samplen 2\n"
      << "set xlabel 'epoch'\nset ylabel 'test accuracy, %'\n"
      << "set xrange [" << (summaries[0].curve.size() == 1 ? "0.5:1.5" : "1:") << "]\n"
      << "set yrange " << accuracy_range(summaries) << "\n"
      << (summaries[0].curve.size() <= kFewEpochs ? "set xtics 1\n" : "")
      << "set style fill transparent solid 0.15 noborder\nplot ";
  for (size_t i = 0; i < summaries.size(); ++i)
    out << "$curve" << i << " using 1:3:4 with filledcurves lc '" << plot_colour(i)
        << "' notitle, ";
  for (size_t i = 0; i < summaries.size(); ++i)
    out << (i > 0 ? ", " : "") << "$curve" << i << " using 1:2 with linespoints lw 2 pt 7 ps 0.3 "
        << support::line_style(i) << " title " << title_of(summaries[i]);
  out << '\n';
  return out.str();
}

/// A row per activation from the top: blocks $mean0 … (mean, half width, row) and $runs0 …
std::string final_blocks(const Summaries& summaries) {
  TextStream out;
  for (size_t i = 0; i < summaries.size(); ++i) {
    const Sample& sample = summaries[i].test_accuracy;
    const size_t row = summaries.size() - i;
    out << "$mean" << i << " << END\n"
        << kPercent * sample.mean << ' ' << kPercent * sample.half_width.value_or(0) << ' ' << row
        << "\nEND\n$runs" << i << " << END\n";
    for (double accuracy : summaries[i].finals) out << kPercent * accuracy << ' ' << row << '\n';
    out << "END\n";
  }
  return out.str();
}

std::string final_script(const Summaries& summaries) {
  TextStream out;
  out << final_blocks(summaries) << "set grid lc '#dddddd'\nunset key\n"
      << "set xlabel 'test accuracy after the last epoch, %: runs, mean, 95 % interval'\n"
      << "set yrange [0.5:" << summaries.size() << ".5]\nset xrange " << final_range(summaries)
      << "\n"
      << "unset ytics\nset ytics noenhanced (";
  for (size_t i = 0; i < summaries.size(); ++i)
    out << (i > 0 ? ", " : "") << title_of(summaries[i]) << ' ' << summaries.size() - i;
  out << ")\nplot ";
  for (size_t i = 0; i < summaries.size(); ++i)
    out << (i > 0 ? ", " : "") << "$runs" << i << " using 1:($2-0.15) with points pt 7 ps 0.5 lc '"
        << plot_colour(i) << "', $mean" << i << " using 1:3:2 with xerrorbars lw 2 pt 5 ps 0.8 lc '"
        << plot_colour(i) << "'";
  out << '\n';
  return out.str();
}

}  // namespace

bool draw_pictures(const Grid& grid, const Summaries& summaries) {
  Summaries drawn;
  std::ranges::copy_if(summaries, std::back_inserter(drawn),
                       [](const ActivationSummary& summary) { return !summary.finals.empty(); });
  if (drawn.empty()) return true;
  const int rows = static_cast<int>(drawn.size());
  const int height = std::max(480, 80 + kLegendRow * rows);
  const int row = rows > kFewRows ? 24 : 40;
  const bool first =
      support::draw_svg(grid.folder, "accuracy", 800, height, accuracy_script(drawn));
  return support::draw_svg(grid.folder, "final", 700, 100 + row * rows, final_script(drawn)) &&
         first;
}

}  // namespace pade::compare
