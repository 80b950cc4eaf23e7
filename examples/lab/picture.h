#pragma once

#include <string>

namespace pade::lab {

/// Throws Error unless a picture can be drawn into a file of that name: gnuplot is there, and the
/// name ends in .svg or .png. What takes long asks this first.
void check_picture(const std::string& path);

/// Draws `script`, which sets no terminal, by gnuplot into the file, `width` by `height` pixels on
/// white.
void write_picture(const std::string& path, int width, int height, const std::string& script);

/// What gnuplot writes for a script that sets a terminal. Throws Error when it fails.
std::string drawn(const std::string& script);

/// The lines that give every plot its grid and its axes.
std::string axes_script();

}  // namespace pade::lab
