#include <cstdlib>
#include <utility>

#include <pade/core/error.h>
#include <pade/data/fetch_archive.h>
#include <pade/data/idx.h>
#include <pade/data/image_folder.h>
#include <pade/data/known_sets.h>
#include <pade/data/locate.h>

namespace pade::data {
namespace {

namespace fs = std::filesystem;

std::string without(const std::string& ending, const std::string& name) {
  return name.ends_with(ending) ? name.substr(0, name.size() - ending.size()) : name;
}

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

/// Looks for the set in one folder after another, and remembers what it has not found where.
class Search {
 public:
  explicit Search(const KnownSet& set) : set_(set), files_(set.unpacked) {
    for (const RemoteFile& file : set.downloads)
      if (!set.is_archive()) files_.push_back(without(".gz", file.name));
    for (const std::string& file : files_) report_ += (report_.empty() ? "" : ", ") + file;
    report_ = "Looked for " + report_ +
              (set.is_archive() ? " (or, as in the Python version, without .bin)"
                                : " (each as it is or as .gz, also with a dot in front of idx)") +
              " in:";
  }

  /// `folder` or one of the set's own folders in it; empty when none has all files, or none is
  /// given.
  fs::path below(const fs::path& folder) {
    if (folder.empty()) return {};
    std::vector<fs::path> candidates{folder, folder / set_.folder};
    std::error_code ignored;
    if (!set_.python_folder.empty() && fs::is_directory(folder / set_.python_folder, ignored))
      candidates.push_back(folder / set_.python_folder);
    for (const fs::path& candidate : candidates)
      if (has_all_files(candidate)) return candidate;
    return {};
  }

  bool has_all_files(const fs::path& folder) {
    std::string missing;
    size_t count = 0;
    for (const std::string& name : files_)
      if (!has_file(folder, name)) missing += (count++ ? ", " : " has no ") + name;
    if (count == 0) return true;
    std::error_code ignored;
    report_ += "\n  " + folder.string();
    if (!fs::is_directory(folder, ignored))
      report_ += " is not a folder";
    else
      report_ += count == files_.size() ? " has none of them" : missing;
    return false;
  }

  /// The files, then a line for each folder.
  const std::string& report() const { return report_; }

 private:
  bool has_file(const fs::path& folder, const std::string& name) const {
    std::error_code ignored;
    if (!set_.is_archive()) return !find_idx(folder, name).empty();
    return fs::is_regular_file(folder / name, ignored) ||
           fs::is_regular_file(folder / without(".bin", name), ignored);
  }

  const KnownSet& set_;
  std::vector<std::string> files_;
  std::string report_;
};

/// Into the cache.
fs::path fetch_set(const KnownSet& set, const Search& search) {
  const std::string remedy = "\nGet the files by other means and give their folder (--data)" +
                             (set.package.empty() ? "" : ", or: apt-get install " + set.package);
  const fs::path cache = cache_folder();
  check(!cache.empty(), set.name,
        ": not found, and without HOME there is no place to fetch it to. ", search.report(),
        remedy);
  const fs::path mirror = variable("PADE_MIRROR"), folder = cache / set.folder;
  const auto urls = [&](const fs::path& below) {
    return mirror.empty() ? set.urls : std::vector{(mirror / below).string()};
  };
  try {
    if (set.is_archive())
      fetch_archive(set.downloads.front(), urls(""), set.unpacked, folder);
    else
      for (const RemoteFile& file : set.downloads) fetch(file, urls(set.folder), folder);
  } catch (const Error& error) {
    fail(set.name, ": not found, and not fetched either. ", search.report(), '\n', error.what(),
         remedy);
  }
  return folder;
}

/// Throws Error when there is another set than one of images.
bool is_image_folder(std::string_view name) {
  std::error_code ignored;
  if (find_known_set(name) || !fs::is_directory(name, ignored)) return false;
  for (const KnownSet& set : known_sets())
    check(!Search(set).has_all_files(name), name,
          ": these are the files of a known set; give its name, as in --dataset ", set.name,
          " --data ", name);
  return true;
}

}  // namespace

std::vector<std::string> dataset_names() {
  std::vector<std::string> names;
  for (const KnownSet& set : known_sets()) names.push_back(set.name);
  return names;
}

fs::path find_dataset(std::string_view name, const fs::path& data_dir) {
  const KnownSet& set = set_named(name);
  Search search(set);
  if (!data_dir.empty()) {
    const fs::path folder = search.below(data_dir);
    check(!folder.empty(), set.name, ": not found. ", search.report(),
          "\nGive the folder that has these files, or none to have them found or fetched");
    return folder;
  }
  for (const fs::path& place :
       {variable("PADE_DATA"), fs::path("/usr/share/datasets"), cache_folder()})
    if (const fs::path folder = search.below(place); !folder.empty()) return folder;
  return fetch_set(set, search);
}

std::unique_ptr<Dataset> open_dataset(std::string_view name, Split split,
                                      const fs::path& data_dir) {
  if (is_image_folder(name)) return std::make_unique<ImageFolder>(name, split);
  return set_named(name).open(find_dataset(name, data_dir), split);
}

DatasetSplits open_datasets(std::string_view name, const fs::path& data_dir) {
  if (is_image_folder(name)) {
    ImageFolderSplits splits = read_image_folder(name);
    return {std::make_unique<ImageFolder>(std::move(splits.train)),
            std::make_unique<ImageFolder>(std::move(splits.test))};
  }
  const KnownSet& set = set_named(name);
  const fs::path folder = find_dataset(name, data_dir);
  return {set.open(folder, Split::train), set.open(folder, Split::test)};
}

}  // namespace pade::data
