#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <sstream>

#include <pade/core/error.h>
#include <pade/data/process.h>

extern "C" char** environ;

namespace pade::data {

ProcessResult run_program(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  for (const std::string& argument : command)
    arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);

  int pipe_ends[2];
  check(pipe2(pipe_ends, O_CLOEXEC) == 0, "cannot run ", command[0], ": ", std::strerror(errno));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDOUT_FILENO);
  pid_t child = 0;
  const int error =
      posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(pipe_ends[1]);

  ProcessResult result;
  char piece[4096];
  ssize_t count;
  do {
    count = read(pipe_ends[0], piece, sizeof piece);
    if (count > 0) result.output.append(piece, static_cast<size_t>(count));
  } while (count > 0 || (count < 0 && errno == EINTR));
  close(pipe_ends[0]);
  check(error == 0, "cannot run ", command[0], ": ", std::strerror(error));
  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    check(errno == EINTR, "cannot wait for ", command[0], ": ", std::strerror(errno));
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

bool has_program(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');)
    if (access((folder + "/" + name).c_str(), X_OK) == 0) return true;
  return false;
}

}  // namespace pade::data
