#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace pade::data {

/// A file that can be had from the network, and its MD5 sum (what data sets publish) in
/// hexadecimal.
struct RemoteFile {
  std::string name;
  std::string md5;
};

/// Brings the file into `folder`, which is made if need be, with the system's curl or wget; does
/// nothing when it is there. The servers are tried in turn: the file's address is one of
/// `base_urls`, a slash and its name. What has been interrupted is resumed, and only what has the
/// right sum gets its name. Progress is shown on stderr.
///
/// Throws Error when no server gives the right file. Several processes may call this at once.
void fetch(const RemoteFile& file, const std::vector<std::string>& base_urls,
           const std::filesystem::path& folder);

}  // namespace pade::data
