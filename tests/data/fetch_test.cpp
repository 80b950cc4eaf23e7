#include <filesystem>

#include <doctest/doctest.h>

#include <pade/core/error.h>
#include <pade/data/fetch.h>
#include <pade/data/process.h>
#include <tests/data/environment_variable.h>
#include <tests/data/loopback_server.h>
#include <tests/silent_stderr.h>
#include <tests/temporary_folder.h>

using namespace pade;
using data::fetch;
using data::RemoteFile;
using pade::testing::contents_of;
using pade::testing::EnvironmentVariable;
using pade::testing::LoopbackServer;
using pade::testing::SilentStderr;
using pade::testing::TemporaryFolder;
using Names = std::vector<std::string>;

namespace {

const std::string kContents = "0123456789abcdef";
const RemoteFile kFile{// with the SHA-256 of kContents
                       "f.gz", "9f9f5111f7b27a781f1f1ddde5ebc2dd2b796bfc7365c9c28b548e564176929f"};
const std::string kMd5 = "4032af8d61035123906e58e067140cc5";  // of kContents

/// Runs with what fetching can use: curl, and wget alone. Says so when there is nothing to run
/// with.
template <class F>
void for_each_program(F&& f) {
  const EnvironmentVariable no_proxy("no_proxy", "127.0.0.1");
  const SilentStderr silent;
  for (const std::string program : {"curl", "wget"}) {
    if (!data::has_program(program)) {
      MESSAGE("not run with ", program, ": it is not installed");
      continue;
    }
    CAPTURE(program);
    const TemporaryFolder only_this;
    for (const std::string& name : {program, std::string("sha256sum")}) {
      const std::string found = data::run_program({"sh", "-c", "command -v " + name}).output;
      std::filesystem::create_symlink(found.substr(0, found.find('\n')), only_this / name);
    }
    const EnvironmentVariable path("PATH", only_this.path().string());
    f();
  }
}

}  // namespace

TEST_CASE("fetch brings a file, once, from the first server that has it") {
  for_each_program([] {
    LoopbackServer server;
    server.set({.files = {{"/good/f.gz", kContents}, {"/wrong/f.gz", "something else"}}});
    const TemporaryFolder folder;
    fetch(kFile, {server.url() + "/none", server.url() + "/wrong/", server.url() + "/good/"},
          folder / "a/b");
    CHECK(contents_of(folder / "a/b/f.gz") == kContents);
    CHECK(server.take_requests() == Names{"/none/f.gz", "/wrong/f.gz", "/good/f.gz"});
    CHECK_FALSE(std::filesystem::exists(folder / "a/b/f.gz.part"));

    fetch(kFile, {server.url() + "/good"}, folder / "a/b");
    CHECK(server.take_requests().empty());
  });
}

TEST_CASE("fetch goes on where it was interrupted") {
  for_each_program([] {
    LoopbackServer server;
    server.set({.files = {{"/f.gz", kContents}}, .cut_after = 6});
    const TemporaryFolder folder;
    CHECK_THROWS_WITH_AS(fetch(kFile, {server.url()}, folder.path()),
                         ("cannot fetch f.gz:\n  " + server.url() + "/f.gz did not arrive").c_str(),
                         Error);
    CHECK(contents_of(folder / "f.gz.part") == kContents.substr(0, 6));
    server.set({.files = {{"/f.gz", kContents}}});
    fetch(kFile, {server.url()}, folder.path());
    CHECK(contents_of(folder / "f.gz") == kContents);
    CHECK(server.take_requests() == Names{"/f.gz", "/f.gz from 6"});
  });
}

TEST_CASE("fetch starts over when going on does not work") {
  for_each_program([] {
    const struct {
      std::string part;
      bool knows_ranges;
    } cases[] = {{"0123xx", true},                  // another file's beginning
                 {"0123456789abcdefgh", true},      // too long already
                 {"xxxxxxxxxxxxxxxx", true},        // as long, but wrong
                 {kContents.substr(0, 6), false}};  // right, but the server has no ranges
    for (const auto& c : cases) {
      CAPTURE(c.part);
      LoopbackServer server;
      server.set({.files = {{"/f.gz", kContents}}, .knows_ranges = c.knows_ranges});
      const TemporaryFolder folder;
      folder.write("f.gz.part", c.part);
      fetch(kFile, {server.url()}, folder.path());
      CHECK(contents_of(folder / "f.gz") == kContents);
    }
  });
}

TEST_CASE("fetch takes a complete part without asking anybody, by either kind of sum") {
  for (const std::string& sum : {kFile.sum, kMd5}) {
    const TemporaryFolder folder;
    folder.write("f.gz.part", kContents);
    fetch({"f.gz", sum}, {}, folder.path());
    CHECK(contents_of(folder / "f.gz") == kContents);
  }
}

TEST_CASE("fetch takes no part whose sum is another one, or only begins alike") {
  for (const std::string& sum : {kFile.sum, kMd5})
    for (const std::string& wrong : {"0" + sum.substr(1), sum.substr(0, sum.size() - 1)}) {
      const TemporaryFolder folder;
      folder.write("f.gz.part", kContents);
      CHECK_THROWS_WITH_AS(fetch({"f.gz", wrong}, {}, folder.path()), "cannot fetch f.gz:", Error);
      CHECK_FALSE(std::filesystem::exists(folder / "f.gz"));
    }
}

TEST_CASE("fetch says what each server answered, and leaves no file under the final name") {
  for_each_program([] {
    LoopbackServer server;
    server.set({.files = {{"/wrong/f.gz", "something else"}}});
    const TemporaryFolder folder;
    const std::string gone = "http://127.0.0.1:1";
    CHECK_THROWS_WITH_AS(
        fetch(kFile, {server.url() + "/none", server.url() + "/wrong", gone}, folder.path()),
        ("cannot fetch f.gz:\n  " + server.url() + "/none/f.gz was refused\n  " + server.url() +
         "/wrong/f.gz has the wrong checksum\n  " + gone + "/f.gz did not arrive")
            .c_str(),
        Error);
    for (const std::string& name : folder.names()) CHECK((name == ".lock" || name == "f.gz.part"));
  });
}

TEST_CASE("fetch needs a program, and a folder to write to") {
  const TemporaryFolder folder;
  folder.write("file", "");
  const SilentStderr silent;
  CHECK_THROWS_WITH_AS(fetch(kFile, {}, folder / "file/below"),
                       doctest::Contains("cannot make the folder"), Error);
  const EnvironmentVariable path("PATH", folder.path().string());
  CHECK_THROWS_WITH_AS(fetch(kFile, {"http://127.0.0.1:1"}, folder / "a"),
                       doctest::Contains("neither is installed"), Error);
}
