#include <algorithm>
#include <cstdlib>
#include <utility>

#include <pade/core/did_you_mean.h>
#include <pade/core/error.h>
#include <pade/data/cifar.h>
#include <pade/data/fetch.h>
#include <pade/data/image_folder.h>
#include <pade/data/mnist.h>
#include <pade/data/open_dataset.h>

namespace pade::data {
namespace {

namespace fs = std::filesystem;

/// A data set that can be found by name: where it comes from, and what it consists of. The sums are
/// those of its authors' files; copies from elsewhere may be compressed differently.
struct KnownSet {
  std::string name;
  std::vector<std::string> folders;  // what its own is called, and that of its Python version
  std::vector<std::string> urls;     // tried in turn
  std::vector<RemoteFile> files;     // with the sums of what they are fetched as, NAME.gz …
  RemoteFile archive = {};           // … or of their archive
  std::string package = {};          // of Debian and Ubuntu; empty when there is none
  std::unique_ptr<Dataset> (*open)(const fs::path& folder, Split split);

  bool is_archive() const { return !archive.name.empty(); }
};

template <class Set, auto... options>
std::unique_ptr<Dataset> open_as(const fs::path& folder, Split split) {
  return std::make_unique<Set>(folder, split, options...);
}

const std::vector<KnownSet>& catalogue() {
  const auto cifar100 = [](const std::string& name, decltype(KnownSet::open) open) {
    return KnownSet{.name = name,
                    .folders = {"cifar-100-binary", "cifar-100-python"},
                    .urls = {"https://www.cs.toronto.edu/~kriz"},
                    .files = {{"train.bin"}, {"test.bin"}},
                    .archive = {"cifar-100-binary.tar.gz", "03b5dce01913d631647c71ecec9e9cb8"},
                    .open = open};
  };
  static const std::vector<KnownSet> sets{
      {.name = "fashion-mnist",
       .folders = {"fashion-mnist"},
       .urls = {"https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion",
                "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com"},
       .files = {{"train-images-idx3-ubyte", "8d4fb7e6c68d591d4c3dfef9ec88bf0d"},
                 {"train-labels-idx1-ubyte", "25c81989df183df01b3e8a0aad5dffbe"},
                 {"t10k-images-idx3-ubyte", "bef4ecab320f06d8554ea6380940ec79"},
                 {"t10k-labels-idx1-ubyte", "bb300cfdad3c16e7a12a480ee83cd310"}},
       .package = "dataset-fashion-mnist",
       .open = open_as<FashionMnist>},
      {.name = "mnist",
       .folders = {"mnist"},
       .urls = {"https://ossci-datasets.s3.amazonaws.com/mnist",
                "http://yann.lecun.com/exdb/mnist"},
       .files = {{"train-images-idx3-ubyte",
                  "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"},
                 {"train-labels-idx1-ubyte",
                  "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"},
                 {"t10k-images-idx3-ubyte",
                  "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"},
                 {"t10k-labels-idx1-ubyte",
                  "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"}},
       .open = open_as<Mnist>},
      {.name = "cifar10",
       .folders = {"cifar-10-batches-bin", "cifar-10-batches-py"},
       .urls = {"https://www.cs.toronto.edu/~kriz"},
       .files = {{"data_batch_1.bin"},
                 {"data_batch_2.bin"},
                 {"data_batch_3.bin"},
                 {"data_batch_4.bin"},
                 {"data_batch_5.bin"},
                 {"test_batch.bin"}},
       .archive = {"cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530"},
       .open = open_as<Cifar10>},
      cifar100("cifar100", open_as<Cifar100, Cifar100::Labels::fine>),
      cifar100("cifar100-coarse", open_as<Cifar100, Cifar100::Labels::coarse>),
  };
  return sets;
}

const std::string& name_of(const KnownSet& set) { return set.name; }

fs::path variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

/// Empty when there is no home folder.
fs::path cache_folder() {
  if (const fs::path cache = variable("XDG_CACHE_HOME"); cache.is_absolute()) return cache / "pade";
  const fs::path home = variable("HOME");
  return home.empty() ? home : home / ".cache" / "pade";
}

/// Says what the folder lacks, as ` has no test.bin`; nothing when it has all files of the set.
std::string missing_in(const fs::path& folder, const KnownSet& set) {
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) return " is not a folder";
  std::string missing;
  size_t count = 0;
  for (const RemoteFile& file : set.files) {
    const fs::path found =
        set.is_archive() ? find_batch(folder, file.name) : find_idx(folder, file.name);
    if (found.empty()) missing += (count++ ? ", " : " has no ") + file.name;
  }
  return count == set.files.size() ? " has none of them" : missing;
}

/// Fetches the set into the cache.
fs::path fetch_set(const KnownSet& set, const std::string& report) {
  const std::string remedy = "\nGet the files by other means and give their folder (--data)" +
                             (set.package.empty() ? "" : ", or: apt-get install " + set.package);
  const fs::path cache = cache_folder(), folder = cache / set.folders[0],
                 mirror = variable("PADE_MIRROR");
  check(!cache.empty(), set.name,
        ": not found, and without HOME there is no place to fetch it to. ", report, remedy);
  std::vector<std::string> urls = set.urls, members;
  if (!mirror.empty()) urls = {set.is_archive() ? mirror / "" : mirror / set.folders[0]};
  try {
    for (const auto& [name, sum] : set.files) {
      members.push_back(name);
      if (!set.is_archive()) fetch({name + ".gz", sum}, urls, folder);
    }
    if (set.is_archive()) fetch_archive(set.archive, urls, members, folder);
  } catch (const Error& error) {
    fail(set.name, ": not found, and not fetched either. ", report, '\n', error.what(), remedy);
  }
  return folder;
}

/// Throws Error when the folder has the files of a known set.
bool is_image_folder(std::string_view name) {
  std::error_code ignored;
  if (std::ranges::count(dataset_names(), name) > 0 || !fs::is_directory(name, ignored))
    return false;
  for (const KnownSet& set : catalogue())
    check(!missing_in(name, set).empty(), name,
          ": these are the files of a known set; give its name, as in --dataset ", set.name,
          " --data ", name);
  return true;
}

}  // namespace

std::vector<std::string> dataset_names() {
  std::vector<std::string> names;
  for (const KnownSet& set : catalogue()) names.push_back(set.name);
  return names;
}

fs::path find_dataset(std::string_view name, const fs::path& data_dir) {
  const KnownSet set = value_named("data set", name, catalogue());
  std::string report;
  for (const RemoteFile& file : set.files)
    report += (report.empty() ? "Looked for " : ", ") + file.name;
  report += set.is_archive() ? " (or, as in the Python version, without .bin) in:"
                             : " (each as it is or as .gz, also with a dot in front of idx) in:";
  std::vector<fs::path> places{data_dir};
  if (data_dir.empty()) places = {variable("PADE_DATA"), "/usr/share/datasets", cache_folder()};
  std::erase(places, fs::path());
  for (const fs::path& place : places) {
    std::vector<std::string> folders{""};
    folders.insert(folders.end(), set.folders.begin(), set.folders.end());
    for (const std::string& own : folders) {
      const fs::path folder = own.empty() ? place : place / own;
      const std::string missing = missing_in(folder, set);
      if (missing.empty()) return folder;
      report += "\n  " + folder.string() + missing;
    }
  }
  check(data_dir.empty(), set.name, ": not found. ", report,
        "\nGive the folder that has these files, or none to have them found or fetched");
  return fetch_set(set, report);
}

std::unique_ptr<Dataset> open_dataset(std::string_view name, Split split,
                                      const fs::path& data_dir) {
  if (is_image_folder(name)) return std::make_unique<ImageFolder>(name, split);
  return value_named("data set", name, catalogue()).open(find_dataset(name, data_dir), split);
}

DatasetSplits open_datasets(std::string_view name, const fs::path& data_dir) {
  if (is_image_folder(name)) {
    ImageFolderSplits splits = read_image_folder(name);
    return {std::make_unique<ImageFolder>(std::move(splits.train)),
            std::make_unique<ImageFolder>(std::move(splits.test))};
  }
  const auto open = value_named("data set", name, catalogue()).open;
  const fs::path folder = find_dataset(name, data_dir);
  return {open(folder, Split::train), open(folder, Split::test)};
}

}  // namespace pade::data
