#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pade::support {

/// How this program was called, ready for a shell: `examples/run.sh lenet` where that script says
/// so in $PADE_COMMAND, otherwise the word before the arguments, such as `build/examples/lenet`.
/// With a name, the program of that name which lies beside it. Messages that say what to type begin
/// with it.
std::string typed_command(std::string_view program = {});

/// The words of a command line as one line, from which a shell makes the same words.
std::string shell_line(const std::vector<std::string>& words);

/// Arguments of this program, and what they do.
using Examples = std::vector<std::pair<std::string, std::string>>;
/// For a help text: "Examples:", and a line with the command as it was typed for each.
std::string examples_text(const Examples& examples);

}  // namespace pade::support
