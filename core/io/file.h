#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <pade/core/error.h>

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

/// f(), with the path in front of the message where it throws Error.
template <class F>
decltype(auto) with_path_in_errors(const std::filesystem::path& path, F&& f) {
  try {
    return std::forward<F>(f)();
  } catch (const Error& error) {
    throw Error(path.string() + ": " + error.what());
  }
}

/// Writes a whole file, in place of the one that `path` names if there is one. At every moment,
/// also after a crash or a power cut, that name shows either the old file or all of the new one:
/// the bytes go to a temporary file in the same folder, which is synced and then renamed.
///
/// Throws Error with the path, the system's reason and what to do; then the old file is as it was
/// and the temporary one is gone. What is not a regular file (a folder, a device) is never
/// replaced.
void write_file_atomically(const std::filesystem::path& path, std::string_view contents);
/// The pieces one after another.
void write_file_atomically(const std::filesystem::path& path,
                           std::span<const std::string_view> pieces);

/// Removes the temporary files in a folder, NAME.PROCESS-ATTEMPT.tmp, that processes left which
/// were killed while they wrote: those of this process's number too, which must not be writing
/// there. Call it while no other machine can be writing there either (FolderLock).
void remove_abandoned_files(const std::filesystem::path& folder);

}  // namespace pade
