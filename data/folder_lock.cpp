#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <pade/core/error.h>
#include <pade/data/folder_lock.h>

namespace pade::data {

FolderLock::FolderLock(const std::filesystem::path& folder, const char* name)
    : descriptor_(open((folder / name).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
  check(descriptor_ >= 0, "cannot write to ", folder.string(), ": ", std::strerror(errno));
  while (flock(descriptor_, LOCK_EX) != 0 && errno == EINTR) {}
}

FolderLock::~FolderLock() { close(descriptor_); }

}  // namespace pade::data
