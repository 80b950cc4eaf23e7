#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <optional>
#include <vector>

#include <pade/core/io/file.h>
#include <pade/core/numbers.h>

namespace pade {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kEnding = ".tmp";

const char* remedy(int error) {
  if (error == ENOSPC || error == EDQUOT || error == EFBIG)
    return "free some space or write elsewhere";
  if (error == EACCES || error == EPERM || error == EROFS)
    return "choose a folder that you may write to";
  if (error == ENOENT || error == ENOTDIR) return "create the folder first";
  return "write elsewhere or try again";
}

[[noreturn]] void fail_writing(const fs::path& path, int error) {
  fail("cannot write ", path.string(), ": ", std::strerror(error), "; ", remedy(error));
}

/// Finds the file to be replaced: what a symbolic link points to, not the link.
fs::path resolve_target(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) return path;
  check(fs::is_regular_file(status), "cannot write ", path.string(),
        ": it exists and is not a regular file; write elsewhere");
  const fs::path target = fs::canonical(path, error);
  if (error) fail_writing(path, error.value());
  return target;
}

/// Writes all of the bytes. Returns 0, or the error that it ended with.
int write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) return errno;
    if (written > 0) bytes.remove_prefix(static_cast<size_t>(written));
  }
  return 0;
}

/// Makes a renaming in the folder last. Some file systems cannot, and say EINVAL.
void sync_folder(const fs::path& folder) {
  const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const int error = descriptor < 0 || fsync(descriptor) != 0 ? errno : 0;
  if (descriptor >= 0) close(descriptor);
  check(error == 0 || error == EINVAL || error == EACCES, "cannot sync the folder ",
        folder.string(), ": ", std::strerror(error), "; ", remedy(error));
}

/// Finds the process that wrote a temporary file of this name; nothing for other names.
std::optional<pid_t> writer_of(std::string_view name) {
  if (!name.ends_with(kEnding)) return std::nullopt;
  name.remove_suffix(kEnding.size());
  const size_t dash = name.rfind('-'), dot = name.rfind('.', dash);
  if (dash == name.npos || dot == name.npos || dot == 0) return std::nullopt;
  const auto process = parse_uint64(name.substr(dot + 1, dash - dot - 1)),
             attempt = parse_uint64(name.substr(dash + 1));
  if (!attempt || !process || *process == 0 || *process > INT_MAX) return std::nullopt;
  return static_cast<pid_t>(*process);
}

bool is_running(pid_t process) { return kill(process, 0) == 0 || errno != ESRCH; }

}  // namespace

std::ifstream open_input(const fs::path& path) {
  std::error_code error;
  const bool is_regular = fs::is_regular_file(path, error);
  check(!error, "cannot read ", path.string(), ": ", error.message());
  check(is_regular, "cannot read ", path.string(), ": it is not a regular file");
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  check(in.is_open(), "cannot read ", path.string(), ": ", std::strerror(errno));
  return in;
}

std::string read_file(const fs::path& path, uint64_t max_bytes) {
  std::ifstream in = open_input(path);
  const uintmax_t size = fs::file_size(path);
  check(size <= max_bytes, path.string(), ": it has ", size, " bytes, more than the ", max_bytes,
        " that are read");
  std::string contents = bad_alloc_as_error([&] { return std::string(size, '\0'); });
  check(in.read(contents.data(), static_cast<std::streamsize>(size)).good(), "cannot read ",
        path.string(), " to its end");
  return contents;
}

std::string read_file_if_there(const fs::path& path) {
  return fs::exists(path) ? read_file(path) : "";
}

void write_file_atomically(const fs::path& path, std::string_view contents) {
  write_file_atomically(path, std::span(&contents, 1));
}

void write_file_atomically(const fs::path& path, std::span<const std::string_view> pieces) {
  const fs::path target = resolve_target(path);
  std::string temporary;
  int descriptor = -1, error = 0;
  for (int attempt = 0; descriptor < 0; ++attempt) {
    temporary = target.string() + "." + std::to_string(getpid()) + "-" + std::to_string(attempt) +
                std::string(kEnding);
    descriptor = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor < 0 && (errno != EEXIST || attempt == 1000)) fail_writing(target, errno);
  }
  for (size_t i = 0; error == 0 && i < pieces.size(); ++i) error = write_all(descriptor, pieces[i]);
  if (error == 0 && fsync(descriptor) != 0) error = errno;
  if (close(descriptor) != 0 && error == 0) error = errno;
  if (error == 0 && std::rename(temporary.c_str(), target.c_str()) != 0) error = errno;
  if (error != 0) {
    unlink(temporary.c_str());
    fail_writing(target, error);
  }
  sync_folder(target.has_parent_path() ? target.parent_path() : ".");
}

void remove_abandoned_files(const fs::path& folder) {
  std::vector<fs::path> abandoned;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::optional<pid_t> writer = writer_of(entry.path().filename().native());
    if (writer && (*writer == getpid() || !is_running(*writer))) abandoned.push_back(entry.path());
  }
  for (const fs::path& path : abandoned) fs::remove(path, error);
}

}  // namespace pade
