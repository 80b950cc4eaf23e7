#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include <pade/core/error.h>
#include <pade/core/io/file.h>
#include <tests/temporary_folder.h>

using namespace pade;
using pade::testing::contents_of;
using pade::testing::TemporaryFolder;

namespace {

/// While in scope, no file of this process can grow beyond `bytes`: writing fails with EFBIG.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : outer_handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &outer_);
    rlimit limit = outer_;
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &outer_);
    std::signal(SIGXFSZ, outer_handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  void (*outer_handler_)(int);
  rlimit outer_{};
};

}  // namespace

TEST_CASE("read_file gives every byte of a file, also by a link") {
  const TemporaryFolder folder;
  const std::string bytes("a\r\n\0\xff", 5);
  const auto file = folder.write("data", bytes);
  std::filesystem::create_symlink(file, folder / "link");
  CHECK(read_file(file) == bytes);
  CHECK(read_file(folder / "link") == bytes);
  CHECK(read_file_if_there(file) == bytes);
  CHECK(read_file_if_there(folder / "absent") == "");
  CHECK(read_file(folder.write("empty", "")) == "");
  CHECK(read_file(file, 5) == bytes);
  CHECK_THROWS_WITH_AS((void)read_file(file, 4),
                       (file.string() + ": it has 5 bytes, more than the 4 that are read").c_str(),
                       Error);
}

TEST_CASE("what is not a regular file is refused by name, without being opened") {
  const TemporaryFolder folder;
  REQUIRE(mkfifo((folder / "pipe").c_str(), 0600) == 0);
  const auto refused = [](const std::filesystem::path& path, const std::string& reason) {
    const std::string message = "cannot read " + path.string() + ": " + reason;
    CHECK_THROWS_WITH_AS((void)open_input(path), message.c_str(), Error);
    CHECK_THROWS_WITH_AS((void)read_file(path), message.c_str(), Error);
  };
  refused(folder / "pipe", "it is not a regular file");
  refused(folder.path(), "it is not a regular file");
  refused("/dev/zero", "it is not a regular file");
  refused(folder / "absent", "No such file or directory");
  CHECK_THROWS_AS((void)read_file_if_there(folder / "pipe"), Error);
}

TEST_CASE("write_file_atomically makes a file, and replaces it") {
  const TemporaryFolder folder;
  const auto path = folder / "run.json";
  write_file_atomically(path, "first");
  CHECK(contents_of(path) == "first");
  const std::vector<std::string_view> pieces{"sec", "", std::string_view("o\0nd", 4)};
  write_file_atomically(path, pieces);
  CHECK(contents_of(path) == std::string("seco\0nd", 7));
  write_file_atomically(path, "");
  CHECK(contents_of(path).empty());
  CHECK(folder.names() == std::vector<std::string>{"run.json"});

  const mode_t mask = umask(0);
  umask(mask);
  struct stat status {};
  REQUIRE(stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == (0666 & ~mask));
}

TEST_CASE("write_file_atomically writes through a symbolic link, and beside leftovers") {
  const TemporaryFolder folder;
  folder.write("real/last", "old");
  std::filesystem::create_symlink("real/last", folder / "link");
  const std::string leftover = "real/last." + std::to_string(getpid()) + "-0.tmp";
  folder.write(leftover, "of a process that died");
  write_file_atomically(folder / "link", "new");
  CHECK(std::filesystem::is_symlink(folder / "link"));
  CHECK(contents_of(folder / "real/last") == "new");
  CHECK(contents_of(folder / leftover) == "of a process that died");
}

TEST_CASE("when the disk is full, the old file stays and the temporary one goes") {
  const TemporaryFolder folder;
  const auto path = folder.write("model", "the old contents");
  const std::string large(100'000, 'x');
  {
    const FileSizeLimit limit(50'000);
    CHECK_THROWS_WITH_AS(
        write_file_atomically(path, large),
        ("cannot write " + path.string() + ": File too large; free some space or write elsewhere")
            .c_str(),
        Error);
  }
  CHECK(contents_of(path) == "the old contents");
  CHECK(folder.names() == std::vector<std::string>{"model"});
  write_file_atomically(path, large);
  CHECK(contents_of(path) == large);
}

TEST_CASE("write_file_atomically says why it cannot write") {
  const TemporaryFolder folder;
  CHECK_THROWS_WITH_AS(write_file_atomically(folder / "absent/file", "x"),
                       ("cannot write " + (folder / "absent/file").string() +
                        ": No such file or directory; create the folder first")
                           .c_str(),
                       Error);
  folder.write("file", "");
  CHECK_THROWS_WITH_AS(write_file_atomically(folder / "file/below", "x"),
                       doctest::Contains("Not a directory; create the folder first"), Error);
  CHECK_THROWS_WITH_AS(write_file_atomically(folder.path(), "x"),
                       doctest::Contains("it exists and is not a regular file; write elsewhere"),
                       Error);
  CHECK_THROWS_WITH_AS(write_file_atomically("/dev/null", "x"),
                       doctest::Contains("it exists and is not a regular file"), Error);
  if (geteuid() == 0) {
    MESSAGE("not tried as root: a folder that must not be written to");
    return;
  }
  std::filesystem::create_directory(folder / "locked");
  chmod((folder / "locked").c_str(), 0500);
  CHECK_THROWS_WITH_AS(
      write_file_atomically(folder / "locked/file", "x"),
      doctest::Contains("Permission denied; choose a folder that you may write to"), Error);
}

TEST_CASE("remove_abandoned_files removes what killed writers left, and nothing else") {
  const TemporaryFolder folder;
  const pid_t dead = fork();
  if (dead == 0) _exit(0);
  REQUIRE(waitpid(dead, nullptr, 0) == dead);
  const auto temporary = [](const char* name, pid_t writer) {
    return name + std::string(".") + std::to_string(writer) + "-3.tmp";
  };
  folder.write(temporary("run.json", dead), "half");
  folder.write(temporary("run.json", getpid()), "a process of this number before");
  const std::vector<std::string> others{
      ".tmp",         "a.0-0.tmp",
      "a.tmp",        std::to_string(dead) + "-0.tmp",
      "notes-1.tmp",  temporary("run.json", getppid()),
      "run.json.bak", "run.json." + std::to_string(dead) + "-x.tmp"};
  for (const std::string& name : others) folder.write(name, "kept");
  remove_abandoned_files(folder.path());
  std::vector<std::string> sorted = others;
  std::sort(sorted.begin(), sorted.end());
  CHECK(folder.names() == sorted);
  remove_abandoned_files(folder / "absent");
}
