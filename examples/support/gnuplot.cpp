#include "support/gnuplot.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <string_view>

#include <pade/core/error.h>
#include <pade/core/io/file.h>
#include <pade/core/text_stream.h>
#include <pade/data/process.h>

namespace pade::support {
namespace {

constexpr const char* kColours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                    "#e69f00", "#56b4e9", "#000000", "#8c8c8c"};

/// A folder of our own that goes when this does.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "pade-plot-XXXXXX").string();
    check(mkdtemp(name.data()), "gnuplot: no folder can be made in ",
          std::filesystem::temp_directory_path().string(), "; set TMPDIR to one that is writable");
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace

std::optional<std::string> run_gnuplot(const std::string& script) {
  if (!data::has_program("gnuplot")) return std::nullopt;
  const TemporaryFolder folder;
  write_file_atomically(folder.file("script.gp"), script);
  const data::ProcessResult result = data::run_program({"gnuplot", folder.file("script.gp")});
  if (result.exit_code != 0 || result.output.empty()) return std::nullopt;
  return result.output;
}

bool draw_svg(const std::string& folder, const std::string& name, int width, int height,
              const std::string& script) {
  TextStream terminal;
  terminal << "set terminal svg size " << width << ',' << height
           << " font 'Helvetica,12' background '#ffffff'\n";
  write_file_atomically(
      folder + "/" + name + ".gp",
      terminal.str() + "set output " + gnuplot_quoted(name + ".svg") + "\n" + script);
  const std::optional<std::string> picture = run_gnuplot(terminal.str() + script);
  if (picture) write_file_atomically(folder + "/" + name + ".svg", *picture);
  return picture.has_value();
}

std::string gnuplot_quoted(const std::string& text) {
  std::string quoted = "'";
  for (char c : text) quoted += c == '\'' ? std::string("''") : std::string(1, c);
  return quoted + "'";
}

std::string range_script(char axis, std::pair<double, double> range) {
  TextStream out;
  out << "set " << axis << "range [" << range.first << ':' << range.second << "]\n";
  return out.str();
}

std::string shortened(const std::string& text, size_t width) {
  constexpr std::string_view kGap = "...";
  if (text.size() <= width) return text;
  const size_t tail = (width - kGap.size()) / 3, head = width - kGap.size() - tail;
  return text.substr(0, head) + std::string(kGap) + text.substr(text.size() - tail);
}

const char* plot_colour(size_t index) { return kColours[index % std::size(kColours)]; }

std::string line_style(size_t index) {
  return std::string("lc '") + plot_colour(index) + "' dt " +
         std::to_string(1 + index / std::size(kColours) % 5);
}

}  // namespace pade::support
