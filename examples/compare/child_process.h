#pragma once

#include <sys/types.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pade::compare {

/// A program that runs beside this one, without a terminal's input and in a process group of its
/// own, so that Ctrl-C reaches it through us alone. When this process ends in whatever way, it gets
/// SIGTERM. It holds our open files that are not O_CLOEXEC, and with them our locks.
class ChildProcess {
 public:
  /// command[0] is a path. Throws Error when it cannot be run.
  explicit ChildProcess(const std::vector<std::string>& command);
  /// Ends the child by SIGTERM, and waits for it, when it still runs.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// The exit code, 128 + the signal's number when one ended it; none while it runs.
  std::optional<int> poll();
  int wait();
  /// Asks it to stop, by SIGINT.
  void interrupt();
  /// What it has written; complete when it has ended.
  std::string output() const { return contents(*output_); }
  std::string errors() const { return contents(*errors_); }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  using File = std::unique_ptr<std::FILE, Close>;
  static File nameless_file();
  static std::string contents(std::FILE& file);

  File output_, errors_;
  pid_t process_ = -1;
  std::optional<int> exit_code_;
};

}  // namespace pade::compare
