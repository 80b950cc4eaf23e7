#include "support/command.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "support/terminal.h"

namespace pade::support {

std::string typed_command(std::string_view program) {
  const std::string own = program_invocation_short_name;
  const char* from_script = std::getenv("PADE_COMMAND");
  std::string command = from_script ? from_script : "";
  // That of another program, which has started this one, says nothing of how this one is called.
  if (!command.ends_with(" " + own)) command = shell_line({program_invocation_name});
  if (program.empty() || !command.ends_with(own)) return command;
  return command.substr(0, command.size() - own.size()) + std::string(program);
}

std::string shell_line(const std::vector<std::string>& words) {
  static const std::string kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./=:,+@%";
  std::string line;
  for (const std::string& word : words) {
    if (!line.empty()) line += ' ';
    if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) {
      line += word;
      continue;
    }
    line += '\'';
    for (char c : word) line += c == '\'' ? std::string("'\\''") : std::string(1, c);
    line += '\'';
  }
  return line;
}

std::string examples_text(const Examples& examples) {
  size_t width = 0;
  for (const auto& [arguments, what] : examples)
    if (!what.empty()) width = std::max(width, count_characters(arguments));
  std::string text = "Examples:";
  for (const auto& [arguments, what] : examples) {
    text += "\n  " + typed_command() + (arguments.empty() ? "" : " ") + arguments;
    if (what.empty()) continue;
    const size_t typed = count_characters(arguments) + (arguments.empty() ? 0 : 1);
    text += std::string(width + 3 - typed, ' ') + what;
  }
  return text;
}

}  // namespace pade::support
