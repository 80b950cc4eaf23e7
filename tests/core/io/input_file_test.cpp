#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include <pade/core/error.h>
#include <pade/core/io/input_file.h>
#include <tests/temporary_folder.h>

using namespace pade;
using pade::testing::TemporaryFolder;

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
  refused(folder / "pipe", "expected a regular file, got a named pipe");
  refused(folder.path(), "expected a regular file, got a folder");
  refused("/dev/zero", "expected a regular file, got a device");
  refused(folder / "absent", "No such file or directory");
  CHECK_THROWS_AS((void)read_file_if_there(folder / "pipe"), Error);
}
