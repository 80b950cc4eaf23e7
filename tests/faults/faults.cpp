// Preloaded into a program, this numbers the calls by which it changes files, and lets one of them
// fail, or ends the program in its place:
//
//   FAULT_LOG=FILE   adds a line for each call: its number, its name and the file
//   FAULT_AT=N       the call that fails: number N, from 1
//   FAULT_KIND=K     how: ENOSPC, EIO; short, half of what is written and then ENOSPC; or kill
//
// Counted are calls for regular files and folders; what goes to a terminal or a pipe is not.

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

/// The function of that name behind this library.
template <class F>
F* real(const char* name) {
  return reinterpret_cast<F*>(dlsym(RTLD_NEXT, name));
}

std::string setting(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

struct Plan {
  std::string log = setting("FAULT_LOG"), kind = setting("FAULT_KIND");
  int at = std::atoi(setting("FAULT_AT").c_str());
  std::atomic<int> calls{0};

  Plan() { unsetenv("LD_PRELOAD"); }  // what the program starts, such as gnuplot, is left alone
};

Plan& plan() {
  static Plan& plan = *new Plan;  // for calls that come after the last destructor
  return plan;
}

void log_call(int number, const char* call, const std::string& file) {
  static const auto real_open = real<int(const char*, int, ...)>("open");
  static const auto real_write = real<ssize_t(int, const void*, size_t)>("write");
  static const int log = real_open(plan().log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0666);
  const std::string line = std::to_string(number) + ' ' + call + ' ' + file + '\n';
  if (real_write(log, line.data(), line.size()) < 0) std::perror("faults");
}

/// Whether this call fails: errno is set then. A program that is to end does so here.
bool fails(const char* call, const std::string& file) {
  const int number = ++plan().calls;
  if (!plan().log.empty()) log_call(number, call, file);
  if (number != plan().at) return false;
  if (plan().kind == "kill") raise(SIGKILL);
  errno = plan().kind == "EIO" ? EIO : ENOSPC;
  return true;
}

/// The file behind a descriptor, and whether it is one that counts.
bool counts(int descriptor, std::string& file) {
  struct stat status {};
  if (fstat(descriptor, &status) != 0 || !(S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)))
    return false;
  char path[4096];
  const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
  const ssize_t length = readlink(link.c_str(), path, sizeof path);
  file.assign(path, length > 0 ? static_cast<size_t>(length) : 0);
  return !file.starts_with("/memfd:") && !file.starts_with("/proc/");
}

bool fails(const char* call, int descriptor) {
  const int error = errno;
  std::string file;
  const bool counted = counts(descriptor, file);
  errno = error;
  return counted && fails(call, file);
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? static_cast<mode_t>(va_arg(arguments, int)) : 0;
  va_end(arguments);
  const bool changes = (flags & (O_CREAT | O_WRONLY | O_RDWR)) != 0;
  if (changes && !std::string_view(path).starts_with("/dev/") && fails("open", std::string(path)))
    return -1;
  return real<int(const char*, int, ...)>("open")(path, flags, mode);
}

/// What programs call that were compiled for large files; offsets have 64 bits in both.
int open64(const char* path, int flags, ...) __attribute__((alias("open")));

ssize_t write(int descriptor, const void* bytes, size_t count) {
  static const auto real_write = real<ssize_t(int, const void*, size_t)>("write");
  if (!fails("write", descriptor)) return real_write(descriptor, bytes, count);
  const int error = errno;
  if (plan().kind == "short" && count > 1 && real_write(descriptor, bytes, count / 2) > 0) {
    ++plan().at;  // and the rest does not fit
    return static_cast<ssize_t>(count / 2);
  }
  errno = error;
  return -1;
}

ssize_t writev(int descriptor, const struct iovec* pieces, int count) {
  if (fails("writev", descriptor)) return -1;
  return real<ssize_t(int, const struct iovec*, int)>("writev")(descriptor, pieces, count);
}

int fsync(int descriptor) {
  return fails("fsync", descriptor) ? -1 : real<int(int)>("fsync")(descriptor);
}

int ftruncate(int descriptor, off_t length) noexcept {
  return fails("ftruncate", descriptor) ? -1
                                        : real<int(int, off_t)>("ftruncate")(descriptor, length);
}

/// Reports an error as the kernel does: the descriptor is closed all the same.
int close(int descriptor) {
  const bool failing = fails("close", descriptor);
  const int error = errno;
  const int result = real<int(int)>("close")(descriptor);
  if (!failing) return result;
  errno = error;
  return -1;
}

int rename(const char* from, const char* to) noexcept {
  if (fails("rename", std::string(to))) return -1;
  return real<int(const char*, const char*)>("rename")(from, to);
}

int unlink(const char* path) noexcept {
  return fails("unlink", std::string(path)) ? -1 : real<int(const char*)>("unlink")(path);
}

int mkdir(const char* path, mode_t mode) noexcept {
  return fails("mkdir", std::string(path)) ? -1
                                           : real<int(const char*, mode_t)>("mkdir")(path, mode);
}

}  // extern "C"
