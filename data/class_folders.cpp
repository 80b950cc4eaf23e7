#include <algorithm>
#include <initializer_list>
#include <string_view>

#include <pade/core/error.h>
#include <pade/data/class_folders.h>

namespace pade::data {
namespace {

namespace fs = std::filesystem;

bool is_hidden(const fs::path& path) { return path.filename().string().starts_with('.'); }

/// Whether a folder is one of those around `inner`, or `inner` itself, under another name.
bool leads_back(const fs::path& folder, const fs::path& inner) {
  std::error_code error;
  const fs::path outer = fs::canonical(folder, error);
  const fs::path all = error ? outer : fs::canonical(inner, error);
  if (error) return false;
  return std::mismatch(outer.begin(), outer.end(), all.begin(), all.end()).first == outer.end();
}

template <class Iterator, class F>
void for_each_entry(const fs::path& folder, F&& f) {
  std::error_code error;
  Iterator entry(folder, error);
  for (; !error && entry != Iterator(); entry.increment(error)) f(entry);
  check(!error, "cannot read the folder ", folder.string(), ": ", error.message());
}

/// The folders in a folder, sorted by name.
std::vector<fs::path> folders_in(const fs::path& folder) {
  std::vector<fs::path> folders;
  for_each_entry<fs::directory_iterator>(folder, [&](const fs::directory_iterator& entry) {
    std::error_code ignored;
    if (fs::is_directory(entry->path(), ignored) && !is_hidden(entry->path()) &&
        !leads_back(entry->path(), folder))
      folders.push_back(entry->path());
  });
  std::sort(folders.begin(), folders.end());
  return folders;
}

/// The files in a folder and in those below it. Links to folders are not followed.
std::vector<fs::path> files_below(const fs::path& folder) {
  std::vector<fs::path> files;
  using Iterator = fs::recursive_directory_iterator;
  for_each_entry<Iterator>(folder, [&](Iterator& entry) {
    std::error_code ignored;
    if (is_hidden(entry->path()))
      entry.disable_recursion_pending();
    else if (!fs::is_directory(entry->path(), ignored))
      files.push_back(entry->path());
  });
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<ClassFolder> classes_in(const fs::path& folder) {
  std::vector<ClassFolder> classes;
  for (const fs::path& path : folders_in(folder))
    classes.push_back({path.filename().string(), files_below(path)});
  check(!classes.empty(), folder.string(),
        ": there are no folders in it; expected one for each class, with its images");
  if (classes.size() == 1) {
    const fs::path only = folder / classes[0].name;
    fail(folder.string(), ": there is one class only, ", classes[0].name,
         "; expected a folder for each of several",
         folders_in(only).size() > 1 ? ". Did you mean " + only.string() + "?" : "");
  }
  for (const ClassFolder& c : classes)
    check(!c.files.empty(), (folder / c.name).string(),
          ": there are no files of this class; expected images. Add some, or remove the folder");
  return classes;
}

/// The names that `classes` has and `others` has not.
std::string only_in(const std::vector<ClassFolder>& classes,
                    const std::vector<ClassFolder>& others) {
  std::string names;
  for (const ClassFolder& c : classes)
    if (std::none_of(others.begin(), others.end(),
                     [&](const ClassFolder& other) { return other.name == c.name; }))
      names += (names.empty() ? "" : ", ") + c.name;
  return names.empty() ? "none" : names;
}

/// Those of `folders` that have one of these names, in upper or lower case, in the order of the
/// names.
std::vector<fs::path> named(const std::vector<fs::path>& folders,
                            std::initializer_list<std::string_view> names) {
  std::vector<fs::path> found;
  for (const std::string_view name : names)
    for (const fs::path& folder : folders) {
      std::string own = folder.filename().string();
      for (char& letter : own)
        if (letter >= 'A' && letter <= 'Z') letter += 'a' - 'A';
      if (own == name) found.push_back(folder);
    }
  return found;
}

/// The first of these that has folders in it; empty when none has.
fs::path first_with_folders(const std::vector<fs::path>& candidates) {
  for (const fs::path& candidate : candidates)
    if (!folders_in(candidate).empty()) return candidate;
  return {};
}

}  // namespace

ImageFolderLayout layout_of(const fs::path& folder) {
  std::error_code ignored;
  check(fs::is_directory(folder, ignored), folder.string(),
        ": there is no such folder; expected one with a folder of images for each class");
  const std::vector<fs::path> folders = folders_in(folder);
  const std::vector<fs::path> trains = named(folders, {"train", "training"}),
                              tests =
                                  named(folders, {"test", "testing", "val", "valid", "validation"});
  const fs::path train = first_with_folders(trains), test = first_with_folders(tests);
  const bool only_splits = !trains.empty() && trains.size() + tests.size() == folders.size();
  if (only_splits && train.empty() && !tests.empty())
    fail(folder.string(), ": there are no folders in ", trains[0].filename().string(),
         "; expected one for each class, with its images");
  if (train.empty() || test.empty()) {
    const fs::path& classes = only_splits && !train.empty() ? train : folder;
    return {classes, classes, classes_in(classes), {}};
  }
  ImageFolderLayout layout{train, test, classes_in(train), classes_in(test)};
  const std::string only_train = only_in(layout.train, layout.test),
                    only_test = only_in(layout.test, layout.train),
                    train_name = train.filename().string(), test_name = test.filename().string();
  check(only_train == "none" && only_test == "none", folder.string(), ": ", train_name, " and ",
        test_name, " have different classes; only in ", train_name, ": ", only_train, "; only in ",
        test_name, ": ", only_test);
  return layout;
}

}  // namespace pade::data
