#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

namespace pade::support {

/// What gnuplot writes to its stdout for this script, which sets a terminal but no output: the
/// bytes of a picture. None when gnuplot is not installed, fails or draws nothing.
std::optional<std::string> run_gnuplot(const std::string& script);

/// Writes `folder/name.gp`, which draws `folder/name.svg` when gnuplot is run in that folder, and,
/// where gnuplot is, that picture. Both whole or not at all. `script` sets neither terminal nor
/// output; the picture is `width` by `height`, on white, which is legible on dark pages too.
/// Returns false when there is no picture.
bool draw_svg(const std::string& folder, const std::string& name, int width, int height,
              const std::string& script);

/// `text` as a string of gnuplot's, in which nothing has a meaning.
std::string gnuplot_quoted(const std::string& text);

/// The line "set xrange [low:high]", or that of another axis.
std::string range_script(char axis, std::pair<double, double> range);

/// At most `width` characters of a text, of which the middle is left out where it is longer.
std::string shortened(const std::string& text, size_t width);

/// Okabe and Ito's colours, which colour-blind people can tell apart, over and over.
const char* plot_colour(size_t index);
/// "lc '#0072b2' dt 1": the colour, and from the second time on that it comes another dash.
std::string line_style(size_t index);

}  // namespace pade::support
