#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <pade/core/error.h>
#include <pade/core/io/folder_lock.h>
#include <tests/temporary_folder.h>

using namespace pade;
using namespace std::chrono_literals;
using pade::testing::TemporaryFolder;

TEST_CASE("FolderLock names its owner to others, and leaves nothing behind") {
  const TemporaryFolder folder;
  const std::string owner = "in use by process " + std::to_string(getpid()) + " on ";
  {
    const FolderLock lock(folder.path());
    CHECK_THROWS_WITH_AS(FolderLock(folder.path(), 0ms),
                         doctest::Contains((folder.path().string() + ": " + owner).c_str()), Error);
  }
  CHECK(folder.names().empty());
  const FolderLock again(folder.path(), 0ms);
  CHECK(folder.names() == std::vector<std::string>{".lock"});
}

TEST_CASE("FolderLock takes over the file of an owner that was killed, and no link") {
  const TemporaryFolder folder;
  folder.write(".lock", "process 1 on another machine, with a long name\n");
  {
    const FolderLock lock(folder.path());
    CHECK(pade::testing::contents_of(folder / ".lock")
              .starts_with("process " + std::to_string(getpid()) + " on "));
  }
  const auto file = folder.write("thesis.tex", "text");
  std::filesystem::create_symlink(file, folder / ".lock");
  CHECK_THROWS_WITH_AS(FolderLock(folder.path()), doctest::Contains("cannot write to"), Error);
  CHECK(pade::testing::contents_of(file) == "text");
}

TEST_CASE("a child that outlives the owner keeps the FolderLock") {
  const TemporaryFolder folder;
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t owner = fork();
  if (owner == 0) {
    const FolderLock lock(folder.path());
    if (fork() == 0) {
      close(ends[1]);
      char byte = 0;
      _exit(read(ends[0], &byte, 1) == 0 ? 0 : 1);  // lives until the test closes the other end
    }
    _exit(0);  // as if killed: nothing is cleaned up
  }
  close(ends[0]);
  REQUIRE(waitpid(owner, nullptr, 0) == owner);
  CHECK_THROWS_WITH_AS(FolderLock(folder.path(), 0ms),
                       doctest::Contains(("process " + std::to_string(owner) + " on ").c_str()),
                       Error);
  close(ends[1]);
  const FolderLock lock(folder.path());  // waits for the end of the child
}

TEST_CASE("of many threads one at a time has the folder") {
  const TemporaryFolder folder;
  std::atomic<int> inside = 0, most = 0, done = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int round = 0; round < 3; ++round) {
        const FolderLock lock(folder.path());
        const int now = ++inside;
        if (now > most) most = now;
        std::this_thread::yield();
        --inside;
        ++done;
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(most == 1);
  CHECK(done == 12);
  CHECK(folder.names().empty());
}
