#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace pade::data {

/// A file that can be had from the network, and the checksum of its contents in hexadecimal:
/// SHA-256, or MD5 where that is all that its authors publish. The length says which.
struct RemoteFile {
  std::string name;
  std::string sum = {};
};

/// Brings the file into `folder`, which is made if need be, with the system's curl or wget; does
/// nothing when it is there. The servers are tried in turn: the file's address is one of
/// `base_urls`, a slash and its name. What has been interrupted is resumed, and only what has the
/// right sum gets its name. Progress is shown on stderr.
///
/// Throws Error when no server gives the right file. Several processes may call this at once.
void fetch(const RemoteFile& file, const std::vector<std::string>& base_urls,
           const std::filesystem::path& folder);

/// Brings files that come as one archive, a tar.gz, into `folder`: fetches it beside the folder and
/// unpacks it there with the system's tar. In the archive, the files `members` are in a folder of
/// the same name; nothing else is unpacked, so nothing can be written elsewhere. They get their
/// final names when all of them are there, and the archive is removed. Files that the folder has
/// already are left as they are; when it has all, nothing is done.
///
/// Throws Error as fetch() does, and when a member is missing or not a file. Several processes may
/// call this at once.
void fetch_archive(const RemoteFile& archive, const std::vector<std::string>& base_urls,
                   const std::vector<std::string>& members, const std::filesystem::path& folder);

}  // namespace pade::data
