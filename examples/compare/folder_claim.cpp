#include "compare/folder_claim.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <pade/core/error.h>

namespace pade::compare {
namespace {

constexpr int kTries = 100, kPauseInMicroseconds = 50000;

}  // namespace

FolderClaim::FolderClaim(const std::string& folder)
    : descriptor_(open(folder.c_str(), O_RDONLY | O_DIRECTORY)) {
  check(descriptor_ >= 0, folder, ": cannot be opened: ", std::strerror(errno));
  for (int tries = 1; flock(descriptor_, LOCK_EX | LOCK_NB) != 0; ++tries) {
    const int reason = errno;
    if (reason == EWOULDBLOCK && tries < kTries) {
      usleep(kPauseInMicroseconds);
      continue;
    }
    close(descriptor_);
    check(reason != EWOULDBLOCK, folder,
          ": another compare is at work there; wait for it, or name another --out");
    fail(folder, ": cannot be locked: ", std::strerror(reason));
  }
}

FolderClaim::~FolderClaim() { close(descriptor_); }

}  // namespace pade::compare
