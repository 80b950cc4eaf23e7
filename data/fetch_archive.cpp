#include <algorithm>
#include <utility>

#include <pade/core/error.h>
#include <pade/core/io/folder_lock.h>
#include <pade/data/fetch_archive.h>
#include <pade/data/process.h>

namespace pade::data {
namespace {

namespace fs = std::filesystem;

/// A folder for our own use, new, and gone with all that is in it when this goes out of scope.
class ScratchFolder {
 public:
  explicit ScratchFolder(fs::path path) : path_(std::move(path)) {
    std::error_code error;
    fs::remove_all(path_, error);  // what somebody left who was interrupted
    fs::create_directory(path_, error);
    check(!error, "cannot make the folder ", path_.string(), ": ", error.message());
  }
  ~ScratchFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// Into `scratch`, under the names that they have in the archive.
void unpack(const fs::path& archive, const std::vector<std::string>& members,
            const fs::path& scratch) {
  check(has_program("tar") && has_program("gzip"),
        "unpacking takes tar and gzip; for instance: apt-get install tar gzip");
  std::vector<std::string> command{"tar", "-xzof", archive.string(), "-C", scratch.string(), "--"};
  command.insert(command.end(), members.begin(), members.end());
  check(run_program(command).exit_code == 0, "cannot unpack ", archive.string(), "; tar says why");
  for (const std::string& member : members) {
    std::error_code ignored;
    check(fs::symlink_status(scratch / member, ignored).type() == fs::file_type::regular,
          archive.string(), ": ", member, " is not a file");
  }
}

void move_to(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  check(!error, "cannot rename ", from.string(), " to ", to.string(), ": ", error.message());
}

}  // namespace

void fetch_archive(const RemoteFile& archive, const std::vector<std::string>& base_urls,
                   const std::vector<std::string>& members, const fs::path& folder) {
  const fs::path parent = fs::absolute(folder).parent_path();
  const std::string top = folder.filename().string();
  std::error_code error;
  fs::create_directories(parent, error);
  check(!error, "cannot make the folder ", parent.string(), ": ", error.message());
  const FolderLock lock(parent, ("." + top + ".lock").c_str());
  const auto is_there = [&](const std::string& member) {
    std::error_code ignored;
    return fs::exists(parent / top / member, ignored);
  };
  if (std::all_of(members.begin(), members.end(), is_there)) return;

  fetch(archive, base_urls, parent);
  const ScratchFolder scratch(parent / ("." + top + ".unpacking"));
  std::vector<std::string> names;
  for (const std::string& member : members) names.push_back(top + "/" + member);
  unpack(parent / archive.name, names, scratch.path());
  if (!fs::exists(parent / top, error))
    move_to(scratch.path() / top, parent / top);
  else
    for (const std::string& member : members)
      if (!is_there(member)) move_to(scratch.path() / top / member, parent / top / member);
  fs::remove(parent / archive.name, error);
}

}  // namespace pade::data
