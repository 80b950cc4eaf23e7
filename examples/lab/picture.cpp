#include "lab/picture.h"

#include <optional>

#include <pade/core/error.h>
#include <pade/core/io/file.h>
#include <pade/data/process.h>

#include "support/gnuplot.h"

namespace pade::lab {
namespace {

void require_gnuplot() {
  check(data::has_program("gnuplot"),
        "gnuplot, which draws, is missing; apt-get install gnuplot-nox");
}

}  // namespace

void check_picture(const std::string& path) {
  check(path.ends_with(".svg") || path.ends_with(".png"), "--out ", path,
        ": expected a name that ends in .svg or .png");
  require_gnuplot();
}

std::string drawn(const std::string& script) {
  require_gnuplot();
  const std::optional<std::string> picture = support::run_gnuplot(script);
  check(picture.has_value(), "gnuplot failed or drew nothing");
  return *picture;
}

void write_picture(const std::string& path, int width, int height, const std::string& script) {
  check_picture(path);
  const std::string terminal = std::string("set terminal ") +
                               (path.ends_with(".svg") ? "svg" : "pngcairo") + " size " +
                               std::to_string(width) + ',' + std::to_string(height) +
                               " font 'Helvetica,14' background '#ffffff'\n";
  write_file_atomically(path, drawn(terminal + script));
}

std::string axes_script() {
  return "set grid lc '#dddddd'\nset xzeroaxis lc '#888888'\nset yzeroaxis lc '#888888'\n";
}

}  // namespace pade::lab
