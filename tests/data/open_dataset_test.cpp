#include <filesystem>
#include <optional>

#include <doctest/doctest.h>

#include <pade/core/error.h>
#include <pade/data/open_dataset.h>
#include <pade/data/process.h>
#include <tests/data/environment_variable.h>
#include <tests/data/idx_files.h>
#include <tests/data/loopback_server.h>
#include <tests/silent_stderr.h>
#include <tests/temporary_folder.h>

using namespace pade;
using data::find_dataset;
using pade::testing::EnvironmentVariable;
using pade::testing::idx_bytes;
using pade::testing::LoopbackServer;
using pade::testing::SilentStderr;
using pade::testing::TemporaryFolder;

namespace {

/// No place to look at but a folder of our own, and nowhere to fetch from.
struct Isolated {
  TemporaryFolder home;
  EnvironmentVariable data{"PADE_DATA", std::nullopt};
  EnvironmentVariable cache{"XDG_CACHE_HOME", std::nullopt};
  EnvironmentVariable home_variable{"HOME", home.path().string()};
  EnvironmentVariable mirror{"PADE_MIRROR", "http://127.0.0.1:1"};
  EnvironmentVariable no_proxy{"no_proxy", "127.0.0.1"};
};

void write_set(const TemporaryFolder& folder, const std::string& below) {
  for (const char* name : {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte",
                           "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte.gz"})
    folder.write(below + name, idx_bytes({0}, ""));
}

}  // namespace

TEST_CASE("find_dataset looks in --data, PADE_DATA, the cache, in this order") {
  const Isolated isolated;
  const TemporaryFolder given, variable, cache;
  write_set(isolated.home, ".cache/pade/mnist/");
  CHECK(find_dataset("mnist") == isolated.home / ".cache/pade/mnist");

  write_set(cache, "pade/mnist/");
  const EnvironmentVariable cache_home("XDG_CACHE_HOME", cache.path().string());
  CHECK(find_dataset("mnist") == cache / "pade/mnist");
  {
    const EnvironmentVariable relative("XDG_CACHE_HOME", "relative");
    CHECK(find_dataset("mnist") == isolated.home / ".cache/pade/mnist");
  }

  const EnvironmentVariable data("PADE_DATA", variable.path().string());
  CHECK(find_dataset("mnist") == cache / "pade/mnist");
  write_set(variable, "mnist/");
  CHECK(find_dataset("mnist") == variable / "mnist");

  write_set(given, "");
  CHECK(find_dataset("mnist", given.path()) == given.path());
  CHECK(find_dataset("fashion-mnist", given.path()) == given.path());
}

TEST_CASE("a folder that is given is the only one, and nothing is fetched") {
  const Isolated isolated;
  write_set(isolated.home, ".cache/pade/mnist/");
  LoopbackServer server;
  const EnvironmentVariable mirror("PADE_MIRROR", server.url());
  const TemporaryFolder given;
  given.write("mnist/train-images-idx3-ubyte", "");
  const std::string path = given.path().string();
  CHECK_THROWS_WITH_AS(
      (void)find_dataset("mnist", given.path()),
      ("mnist: not found. Looked for train-images-idx3-ubyte, train-labels-idx1-ubyte, "
       "t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte (each as it is or as .gz, also with a dot "
       "in front of idx) in:\n  " +
       path + " has none of them\n  " + path +
       "/mnist has no train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte\n"
       "Give the folder that has these files, or none to have them found or fetched")
          .c_str(),
      Error);
  CHECK_THROWS_WITH_AS((void)find_dataset("mnist", given / "absent"),
                       doctest::Contains("/absent/mnist is not a folder"), Error);
  CHECK(server.take_requests().empty());
}

TEST_CASE("what is found nowhere is fetched, and believed only with the right sum") {
  const Isolated isolated;
  LoopbackServer server;
  server.set({.files = {{"/mnist/train-images-idx3-ubyte.gz", "not what it should be"}}});
  const EnvironmentVariable mirror("PADE_MIRROR", server.url());
  if (!data::has_program("curl") && !data::has_program("wget")) {
    MESSAGE("not run: neither curl nor wget is installed");
    return;
  }
  const SilentStderr silent;
  CHECK_THROWS_WITH_AS(
      (void)find_dataset("mnist"),
      doctest::Contains(("cannot fetch train-images-idx3-ubyte.gz:\n  " + server.url() +
                         "/mnist/train-images-idx3-ubyte.gz has the wrong checksum\n"
                         "Get the files by other means and give their folder (--data)")
                            .c_str()),
      Error);
  CHECK(server.take_requests() == std::vector<std::string>{"/mnist/train-images-idx3-ubyte.gz"});
  CHECK_FALSE(
      std::filesystem::exists(isolated.home / ".cache/pade/mnist/train-images-idx3-ubyte.gz"));

  const EnvironmentVariable no_home("HOME", std::nullopt);
  CHECK_THROWS_WITH_AS((void)find_dataset("mnist"),
                       doctest::Contains("without HOME there is no place to fetch it to"), Error);
}

TEST_CASE("CIFAR is looked for in its own folder, and fetched as an archive") {
  const Isolated isolated;
  const TemporaryFolder given;
  given.write("cifar-100-binary/train.bin", "");
  const std::string path = given.path().string();
  for (const std::string name : {"cifar100", "cifar100-coarse"})
    CHECK_THROWS_WITH_AS(
        (void)find_dataset(name, given.path()),
        (name +
         ": not found. Looked for train.bin, test.bin (or, as in the Python version, without .bin) "
         "in:\n  " +
         path + " has none of them\n  " + path + "/cifar-100-binary has no test.bin\n  " + path +
         "/cifar-100-python is not a folder\n"
         "Give the folder that has these files, or none to have them found or fetched")
            .c_str(),
        Error);
  given.write("cifar-100-binary/test.bin", "");
  CHECK(find_dataset("cifar100", given.path()) == given / "cifar-100-binary");
  CHECK(find_dataset("cifar100-coarse", given / "cifar-100-binary") == given / "cifar-100-binary");

  const TemporaryFolder python;
  python.write("cifar-100-python/train", "");
  CHECK_THROWS_WITH_AS((void)find_dataset("cifar100", python.path()),
                       doctest::Contains("/cifar-100-python has no test.bin"), Error);
  python.write("cifar-100-python/test", "");
  CHECK(find_dataset("cifar100", python.path()) == python / "cifar-100-python");
  CHECK(find_dataset("cifar100", python / "cifar-100-python") == python / "cifar-100-python");
  // The folders of a split are not those files.
  std::filesystem::create_directories(given / "photos/train");
  std::filesystem::create_directories(given / "photos/test");
  CHECK_THROWS_AS((void)find_dataset("cifar100", given / "photos"), Error);

  if (!data::has_program("curl") && !data::has_program("wget")) {
    MESSAGE("not run: neither curl nor wget is installed");
    return;
  }
  LoopbackServer server;
  server.set({.files = {{"/cifar-10-binary.tar.gz", "not what it should be"}}});
  const EnvironmentVariable mirror("PADE_MIRROR", server.url());
  const SilentStderr silent;
  CHECK_THROWS_WITH_AS(
      (void)find_dataset("cifar10"),
      doctest::Contains(("cannot fetch cifar-10-binary.tar.gz:\n  " + server.url() +
                         "/cifar-10-binary.tar.gz has the wrong checksum")
                            .c_str()),
      Error);
  CHECK_FALSE(std::filesystem::exists(isolated.home / ".cache/pade/cifar-10-batches-bin"));
}

TEST_CASE("open_dataset opens by name") {
  const TemporaryFolder folder;
  for (const std::string prefix : {"train-", "t10k-"}) {
    folder.write(prefix + "images-idx3-ubyte", idx_bytes({1, 28, 28}, std::string(784, '\0')));
    folder.write(prefix + "labels-idx1-ubyte", idx_bytes({1}, std::string(1, '\3')));
  }
  const std::string record(3073, '\3');
  for (const char* name : {"data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4",
                           "data_batch_5", "test_batch"})
    folder.write(std::string("cifar-10-batches-bin/") + name + ".bin", record);
  for (const char* name : {"train", "test"})
    folder.write(std::string("cifar-100-binary/") + name + ".bin", '\3' + record);
  CHECK(data::dataset_names() == std::vector<std::string>{"fashion-mnist", "mnist", "cifar10",
                                                          "cifar100", "cifar100-coarse"});
  for (const std::string& name : data::dataset_names()) {
    const auto both = data::open_datasets(name, folder.path());
    const auto train = data::open_dataset(name, data::Split::train, folder.path());
    for (const data::Dataset* set : {both.train.get(), train.get()}) {
      CHECK(set->name() == name);
      CHECK(set->size() == (name == "cifar10" ? 5 : 1));
    }
    CHECK(both.test->size() == 1);
  }
  CHECK_THROWS_WITH_AS((void)data::open_dataset("fashion_mnist", data::Split::test),
                       "unknown data set \"fashion_mnist\"; did you mean \"fashion-mnist\"? There "
                       "are: fashion-mnist, mnist, cifar10, cifar100, cifar100-coarse",
                       Error);
}

TEST_CASE("a known set that is taken for a folder of images is named") {
  const TemporaryFolder folder;
  write_set(folder, "");
  const std::string path = folder.path().string();
  const std::string message = path +
                              ": these are the files of a known set; give its name, as in "
                              "--dataset fashion-mnist --data " +
                              path;
  CHECK_THROWS_WITH_AS((void)data::open_datasets(path), message.c_str(), Error);
}
