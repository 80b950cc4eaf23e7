#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <pade/data/fetch.h>

namespace pade::data {

/// Brings files that come as one archive, a tar.gz, into `folder`: fetches it beside the folder, as
/// fetch() does, and unpacks it there with the system's tar. In the archive, the files `members`
/// are in a folder of the same name as `folder`; nothing else is unpacked, so nothing can be
/// written elsewhere. They get their final names when all of them are there, and the archive is
/// removed. Files that the folder has already are left as they are; when it has all, nothing is
/// done.
///
/// Throws Error as fetch() does, and when the archive lacks a member, or has something else than a
/// file under its name. Several processes may call this at once.
void fetch_archive(const RemoteFile& archive, const std::vector<std::string>& base_urls,
                   const std::vector<std::string>& members, const std::filesystem::path& folder);

}  // namespace pade::data
