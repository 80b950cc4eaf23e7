#pragma once

#include <fcntl.h>
#include <unistd.h>

namespace pade::testing {

/// While in scope, what we and the programs that we run say on stderr is not shown.
class SilentStderr {
 public:
  SilentStderr() : outer_(dup(STDERR_FILENO)) {
    const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    dup2(nowhere, STDERR_FILENO);
    close(nowhere);
  }
  ~SilentStderr() {
    dup2(outer_, STDERR_FILENO);
    close(outer_);
  }
  SilentStderr(const SilentStderr&) = delete;
  SilentStderr& operator=(const SilentStderr&) = delete;

 private:
  int outer_;
};

}  // namespace pade::testing
