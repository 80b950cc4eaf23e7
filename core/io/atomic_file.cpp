#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <pade/core/error.h>
#include <pade/core/io/atomic_file.h>
#include <pade/core/numbers.h>

namespace pade {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kEnding = ".tmp";

const char* remedy(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return "free some space or write elsewhere";
    case EACCES:
    case EPERM:
    case EROFS: return "choose a folder that you may write to";
    case ENOENT:
    case ENOTDIR: return "create the folder first";
    default: return "write elsewhere or try again";
  }
}

[[noreturn]] void fail_writing(const fs::path& path, int error) {
  fail("cannot write ", path.string(), ": ", std::strerror(error), "; ", remedy(error));
}

/// A file beside `target`, which is removed again unless it takes the target's place.
class TemporaryFile {
 public:
  explicit TemporaryFile(const fs::path& target) : target_(target) {
    for (int attempt = 0; descriptor_ < 0; ++attempt) {
      path_ = target.string() + "." + std::to_string(getpid()) + "-" + std::to_string(attempt) +
              std::string(kEnding);
      descriptor_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
      if (descriptor_ < 0 && (errno != EEXIST || attempt == 1000)) fail_writing(target_, errno);
    }
  }

  ~TemporaryFile() {
    if (descriptor_ >= 0) close(descriptor_);
    if (!path_.empty()) unlink(path_.c_str());
  }

  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  void append(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t written = write(descriptor_, bytes.data(), bytes.size());
      if (written >= 0)
        bytes.remove_prefix(static_cast<size_t>(written));
      else if (errno != EINTR)
        fail_writing(target_, errno);
    }
  }

  void take_the_targets_place() {
    if (fsync(descriptor_) != 0) fail_writing(target_, errno);
    if (close(std::exchange(descriptor_, -1)) != 0) fail_writing(target_, errno);
    if (std::rename(path_.c_str(), target_.c_str()) != 0) fail_writing(target_, errno);
    path_.clear();
  }

 private:
  fs::path target_;
  fs::path path_;
  int descriptor_ = -1;
};

/// Makes a renaming in the folder last. Some file systems cannot, and say EINVAL.
void sync_folder(const fs::path& folder) {
  const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const int error = descriptor < 0 || fsync(descriptor) != 0 ? errno : 0;
  if (descriptor >= 0) close(descriptor);
  check(error == 0 || error == EINVAL || error == EACCES, "cannot sync the folder ",
        folder.string(), ": ", std::strerror(error), "; ", remedy(error));
}

/// Finds the process that wrote a TemporaryFile of this name; nothing for other names.
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

}  // namespace

void write_file_atomically(const fs::path& path, std::string_view contents) {
  write_file_atomically(path, std::span(&contents, 1));
}

void write_file_atomically(const fs::path& path, std::span<const std::string_view> pieces) {
  const fs::path target = resolve_target(path);
  TemporaryFile file(target);
  for (const std::string_view piece : pieces) file.append(piece);
  file.take_the_targets_place();
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
