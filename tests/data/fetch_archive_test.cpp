#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <thread>

#include <pade/core/error.h>
#include <pade/data/fetch.h>
#include <pade/data/process.h>
#include <tests/data/environment_variable.h>
#include <tests/data/idx_files.h>
#include <tests/data/loopback_server.h>
#include <tests/silent_stderr.h>
#include <tests/temporary_folder.h>

using namespace pade;
using data::fetch_archive;
using data::RemoteFile;
using pade::testing::contents_of;
using pade::testing::EnvironmentVariable;
using pade::testing::gzip_bytes;
using pade::testing::LoopbackServer;
using pade::testing::SilentStderr;
using pade::testing::TemporaryFolder;
using Names = std::vector<std::string>;

namespace {

/// What a tar archive says of one member. `type`: '0' a file, '2' a link to `link`.
struct Member {
  std::string name, contents;
  char type = '0';
  std::string link = "";
};

/// A POSIX archive, with members that no honest tar would write.
std::string tar_gz(const std::vector<Member>& members) {
  std::string tar;
  for (const Member& member : members) {
    std::string header(512, '\0');
    const auto put = [&](size_t at, const std::string& text) {
      header.replace(at, text.size(), text);
    };
    const auto octal = [](size_t number, int digits) {
      char text[16];
      std::snprintf(text, sizeof text, "%0*zo", digits, number);
      return std::string(text);
    };
    put(0, member.name);
    put(100, "0000644");
    put(108, "0000000");
    put(116, "0000000");
    put(124, octal(member.contents.size(), 11));
    put(136, "00000000000");
    put(148, "        ");  // the checksum's own place counts as spaces
    put(156, std::string(1, member.type));
    put(157, member.link);
    put(257, "ustar");
    put(263, "00");
    size_t sum = 0;
    for (const char byte : header) sum += static_cast<unsigned char>(byte);
    put(148, octal(sum, 6) + std::string("\0 ", 2));
    tar += header + member.contents;
    tar.resize((tar.size() + 511) / 512 * 512);
  }
  return gzip_bytes(tar + std::string(1024, '\0'));
}

/// A server that has the archive, and a folder beside which it is fetched.
struct Place {
  explicit Place(const std::vector<Member>& members) : bytes(tar_gz(members)) {
    server.set({.files = {{"/set.tar.gz", bytes}}});
    const TemporaryFolder scratch;
    const std::string file = scratch.write("a", bytes).string();
    archive = {"set.tar.gz", data::run_program({"md5sum", file}).output.substr(0, 32)};
  }

  void fetch(const Names& members) {
    const SilentStderr silent;
    fetch_archive(archive, {server.url()}, members, folder());
  }
  std::filesystem::path folder() const { return cache / "cache/set"; }
  /// What is in the folder's parent, but for the locks.
  Names beside() const {
    Names names;
    for (const auto& entry : std::filesystem::directory_iterator(cache / "cache"))
      if (entry.path().extension() != ".lock" && entry.path().filename() != ".lock")
        names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }

  EnvironmentVariable no_proxy{"no_proxy", "127.0.0.1"};
  std::string bytes;
  TemporaryFolder cache;
  LoopbackServer server;
  RemoteFile archive;
};

bool can_fetch() {
  if (data::has_program("curl") || data::has_program("wget")) return true;
  MESSAGE("not run: neither curl nor wget is installed");
  return false;
}

const std::vector<Member> kHonest{
    {"set/a.bin", "the first"}, {"set/b.bin", "the second"}, {"set/readme.html", "more"}};

}  // namespace

TEST_CASE("fetch_archive unpacks what is asked for, once, and removes the archive") {
  if (!can_fetch()) return;
  Place place(kHonest);
  place.fetch({"a.bin", "b.bin"});
  CHECK(contents_of(place.folder() / "a.bin") == "the first");
  CHECK(contents_of(place.folder() / "b.bin") == "the second");
  CHECK_FALSE(std::filesystem::exists(place.folder() / "readme.html"));
  CHECK(place.beside() == Names{"set"});
  CHECK(place.server.take_requests() == Names{"/set.tar.gz"});
  place.fetch({"a.bin", "b.bin"});
  CHECK(place.server.take_requests().empty());
}

TEST_CASE("fetch_archive goes on where it was interrupted") {
  if (!can_fetch()) return;
  Place place(kHonest);
  place.server.set({.files = {{"/set.tar.gz", place.bytes}}, .cut_after = 50});
  CHECK_THROWS_WITH_AS(place.fetch({"a.bin"}), doctest::Contains("did not arrive"), Error);
  CHECK(place.beside() == Names{"set.tar.gz.part"});
  place.server.set({.files = {{"/set.tar.gz", place.bytes}}});
  place.cache.write("cache/.set.unpacking/set/a.bin", "half of it");  // left by a killed process
  place.fetch({"a.bin"});
  CHECK(place.server.take_requests() == Names{"/set.tar.gz", "/set.tar.gz from 50"});
  CHECK(contents_of(place.folder() / "a.bin") == "the first");
  CHECK(place.beside() == Names{"set"});
}

TEST_CASE("fetch_archive leaves files that are there as they are") {
  if (!can_fetch()) return;
  Place place(kHonest);
  place.cache.write("cache/set/a.bin", "one's own");
  place.fetch({"a.bin", "b.bin"});
  CHECK(contents_of(place.folder() / "a.bin") == "one's own");
  CHECK(contents_of(place.folder() / "b.bin") == "the second");
}

TEST_CASE("an archive cannot write outside of its folder") {
  if (!can_fetch()) return;
  const TemporaryFolder outside;
  const std::string target = outside.path().string();
  Place place({{"../escaped", "x"},
               {"set/../../escaped", "x"},
               {target + "/absolute", "x"},
               {"set/a.bin", "the first"},
               {"set/link", "", '2', target},
               {"set/link/through", "x"}});
  place.fetch({"a.bin"});
  CHECK(contents_of(place.folder() / "a.bin") == "the first");
  CHECK(place.beside() == Names{"set"});
  CHECK(place.cache.names() == Names{"cache"});
  CHECK(outside.names().empty());
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(place.folder()))
    files += entry.path().filename() == "a.bin" ? 1 : 100;
  CHECK(files == 1);
}

TEST_CASE("a link under a member's name is refused, and nothing is left under the final name") {
  if (!can_fetch()) return;
  const TemporaryFolder outside;
  outside.write("secret", "x");
  for (const Names& members : {Names{"a.bin"}, Names{"b.bin", "a.bin"}}) {
    Place place(
        {{"set/b.bin", "the second"}, {"set/a.bin", "", '2', (outside / "secret").string()}});
    CHECK_THROWS_WITH_AS(place.fetch(members), doctest::Contains("set/a.bin is not a file"), Error);
    CHECK(place.beside() == Names{"set.tar.gz"});
  }
}

TEST_CASE("an archive that lacks a member is refused") {
  if (!can_fetch()) return;
  Place place(kHonest);
  CHECK_THROWS_WITH_AS(place.fetch({"a.bin", "c.bin"}), doctest::Contains("cannot unpack"), Error);
  CHECK(place.beside() == Names{"set.tar.gz"});
}

TEST_CASE("several can call fetch_archive at once") {
  if (!can_fetch()) return;
  Place place(kHonest);
  const SilentStderr silent;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      fetch_archive(place.archive, {place.server.url()}, {"a.bin", "b.bin"}, place.folder());
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(place.server.take_requests() == Names{"/set.tar.gz"});
  CHECK(contents_of(place.folder() / "b.bin") == "the second");
}
