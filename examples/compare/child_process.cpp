#include "compare/child_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>

#include <pade/core/error.h>

namespace pade::compare {
namespace {

constexpr int kCannotRun = 127;  // what shells say as well

/// What happens between fork() and exec(), where only system calls are safe.
[[noreturn]] void become(char* const* arguments, char* const* environment, int output, int errors,
                         pid_t parent) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(kCannotRun);  // it ended before that
  signal(SIGINT, SIG_DFL);
  signal(SIGTERM, SIG_DFL);
  const int nothing = open("/dev/null", O_RDONLY);
  dup2(nothing, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(errors, STDERR_FILENO);
  execve(arguments[0], arguments, environment);
  _exit(kCannotRun);
}

/// The variables of this process without those by which mpirun or srun tells it that it is one of
/// several: the child works on its own.
std::vector<char*> environment_of_child() {
  std::vector<char*> kept;
  for (char** variable = environ; *variable; ++variable) {
    const std::string_view text = *variable;
    const auto begins = [&](const char* prefix) { return text.starts_with(prefix); };
    constexpr const char* kOfLaunchers[] = {"OMPI_", "PMIX_", "PMI_", "PRTE_", "MPI_", "HYDRA_"};
    if (std::ranges::none_of(kOfLaunchers, begins)) kept.push_back(*variable);
  }
  kept.push_back(nullptr);
  return kept;
}

}  // namespace

ChildProcess::File ChildProcess::nameless_file() {
  File file(std::tmpfile());
  check(file != nullptr, "no temporary file can be made: ", std::strerror(errno));
  fcntl(fileno(file.get()), F_SETFD, FD_CLOEXEC);
  return file;
}

ChildProcess::ChildProcess(const std::vector<std::string>& command)
    : output_(nameless_file()), errors_(nameless_file()) {
  std::vector<char*> arguments;
  for (const std::string& argument : command)
    arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  check(access(arguments[0], X_OK) == 0, command[0], ": cannot be run: ", std::strerror(errno),
        "; build it beside compare");
  const pid_t parent = getpid();
  const std::vector<char*> environment = environment_of_child();
  process_ = fork();
  if (process_ == 0)
    become(arguments.data(), environment.data(), fileno(output_.get()), fileno(errors_.get()),
           parent);
  check(process_ > 0, command[0], ": cannot be run: ", std::strerror(errno));
}

ChildProcess::~ChildProcess() {
  if (exit_code_) return;
  kill(process_, SIGTERM);
  int ignored = 0;
  while (waitpid(process_, &ignored, 0) < 0 && errno == EINTR) {}
}

std::optional<int> ChildProcess::poll() {
  if (exit_code_) return exit_code_;
  int status = 0;
  const pid_t ended = waitpid(process_, &status, WNOHANG);
  check(ended >= 0 || errno == EINTR, "cannot wait for a program: ", std::strerror(errno));
  if (ended == process_)
    exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return exit_code_;
}

int ChildProcess::wait() {
  while (!poll()) usleep(2000);
  return *exit_code_;
}

void ChildProcess::interrupt() {
  if (!exit_code_) kill(process_, SIGINT);
}

std::string ChildProcess::contents(std::FILE& file) {
  std::string text;
  char piece[4096];
  for (off_t at = 0;;) {
    const ssize_t count = pread(fileno(&file), piece, sizeof piece, at);
    if (count <= 0) return text;
    text.append(piece, static_cast<size_t>(count));
    at += count;
  }
}

}  // namespace pade::compare
