#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>
#include <fstream>
#include <thread>

#include <pade/core/error.h>
#include <pade/core/io/folder_lock.h>

namespace pade {
namespace {

/// What the owner of the lock has written into its file.
std::string owner_of(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::string owner;
  std::getline(in, owner);
  return owner.empty() ? "another process" : owner;
}

/// Says whether the file still has that name: an owner removes it, then lets go of the lock.
bool is_file_at(const std::filesystem::path& path, int descriptor) {
  struct stat ours, there;
  return fstat(descriptor, &ours) == 0 && stat(path.c_str(), &there) == 0 &&
         ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

}  // namespace

FolderLock::FolderLock(const std::filesystem::path& folder,
                       std::optional<std::chrono::milliseconds> patience)
    : path_(folder / kName) {
  const auto start = std::chrono::steady_clock::now();
  while (!try_to_lock()) {
    check(!patience || std::chrono::steady_clock::now() - start < *patience, folder.string(),
          ": in use by ", owner_of(path_), "; wait until it ends, or choose another folder");
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

bool FolderLock::try_to_lock() {
  // Not O_CLOEXEC: a child goes on writing when its parent is killed.
  descriptor_ = open(path_.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW, 0666);
  check(descriptor_ >= 0, "cannot write to ", path_.parent_path().string(), ": ",
        std::strerror(errno));
  const int error = flock(descriptor_, LOCK_EX | LOCK_NB) == 0 ? 0 : errno;
  if (error == 0 && is_file_at(path_, descriptor_)) {
    char host[HOST_NAME_MAX + 1] = "";
    gethostname(host, sizeof host - 1);
    const std::string owner = "process " + std::to_string(getpid()) + " on " + host + "\n";
    // The text only serves messages of others, so a full disk is not an error here.
    [[maybe_unused]] const bool written =
        ftruncate(descriptor_, 0) == 0 && write(descriptor_, owner.data(), owner.size()) > 0;
    return true;
  }
  if (error == ENOSYS || error == EOPNOTSUPP || error == ENOLCK) return true;
  close(descriptor_);
  check(error == 0 || error == EWOULDBLOCK || error == EINTR, path_.parent_path().string(),
        ": cannot be locked: ", std::strerror(error));
  return false;
}

FolderLock::~FolderLock() {
  unlink(path_.c_str());
  close(descriptor_);
}

}  // namespace pade
