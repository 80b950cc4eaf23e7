#pragma once

#include <filesystem>
#include <span>
#include <string_view>

namespace pade {

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
