#pragma once

#include <cstddef>
#include <optional>
#include <string>

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

/// Okabe and Ito's colours, which colour-blind people can tell apart, over and over.
const char* plot_colour(size_t index);

}  // namespace pade::support
