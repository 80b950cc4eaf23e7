#pragma once

#include <filesystem>
#include <fstream>
#include <string>

namespace pade {

/// Throws Error unless `path` names a regular file, or a link to one. Opening a named pipe or a
/// device can wait for ever, or never come to an end.
void check_is_regular_file(const std::filesystem::path& path);

/// That file, opened to read its bytes. Throws Error as check_is_regular_file() does, and when the
/// file cannot be opened.
std::ifstream open_input(const std::filesystem::path& path);

/// All bytes of that file. Throws Error as open_input() does.
std::string read_file(const std::filesystem::path& path);
/// The same, or "" where nothing has that name.
std::string read_file_if_there(const std::filesystem::path& path);

}  // namespace pade
