#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

namespace pade {

/// A regular file, or a link to one, opened to read its bytes. Throws Error when it cannot be
/// opened, and for all other kinds, unopened: a named pipe or a device can wait for ever, or never
/// come to an end.
std::ifstream open_input(const std::filesystem::path& path);

/// All bytes of that file. Throws Error as open_input() does, and when there are more than
/// `max_bytes`, before memory is asked for.
std::string read_file(const std::filesystem::path& path, uint64_t max_bytes = UINT64_MAX);
/// The same, or "" where nothing has that name.
std::string read_file_if_there(const std::filesystem::path& path);

}  // namespace pade
