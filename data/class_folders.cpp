#include <algorithm>
#include <cctype>
#include <initializer_list>
#include <string_view>

#include <pade/core/error.h>
#include <pade/data/class_folders.h>

namespace pade::data {
namespace {

namespace fs = std::filesystem;

bool is_hidden(const fs::path& path) { return path.filename().string().starts_with('.'); }

bool has_extension(const fs::path& file, std::initializer_list<std::string_view> known) {
  std::string extension = file.extension().string();
  for (char& letter : extension)
    letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  return std::find(known.begin(), known.end(), extension) != known.end();
}

/// Images of the formats that we do not read are looked at too, so that it can be said.
bool is_image(const fs::path& file) {
  return has_readable_extension(file) ||
         has_extension(file, {".gif", ".webp", ".tif", ".tiff", ".avif", ".heic"});
}

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

/// The images in a folder and in those below it. Links to folders are not followed.
std::vector<fs::path> images_below(const fs::path& folder) {
  std::vector<fs::path> files;
  using Iterator = fs::recursive_directory_iterator;
  for_each_entry<Iterator>(folder, [&](Iterator& entry) {
    std::error_code ignored;
    if (is_hidden(entry->path()))
      entry.disable_recursion_pending();
    else if (!fs::is_directory(entry->path(), ignored) && is_image(entry->path()))
      files.push_back(entry->path());
  });
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<ClassFolder> classes_in(const fs::path& folder) {
  std::vector<ClassFolder> classes;
  for (const fs::path& path : folders_in(folder))
    classes.push_back({path.filename().string(), images_below(path)});
  check(!classes.empty(), folder.string(),
        ": there are no folders in it; expected one for each class, with its images");
  check(classes.size() > 1, folder.string(), ": there is one class only, ", classes[0].name,
        "; expected a folder for each of several");
  for (const ClassFolder& c : classes)
    check(!c.files.empty(), (folder / c.name).string(),
          ": there are no images of this class; expected PNG, JPEG or BMP files. Add some, or "
          "remove the folder");
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

bool has_folders(const fs::path& folder) {
  std::error_code ignored;
  return fs::is_directory(folder, ignored) && !folders_in(folder).empty();
}

}  // namespace

bool has_readable_extension(const fs::path& file) {
  return has_extension(file, {".png", ".jpg", ".jpeg", ".bmp"});
}

ImageFolderLayout layout_of(const fs::path& folder) {
  std::error_code ignored;
  check(fs::is_directory(folder, ignored), folder.string(),
        ": there is no such folder; expected one with a folder of images for each class");
  const fs::path train = folder / "train";
  if (!has_folders(train)) return {classes_in(folder), {}};
  for (const char* name : {"test", "val", "valid", "validation"}) {
    if (!has_folders(folder / name)) continue;
    ImageFolderLayout layout{classes_in(train), classes_in(folder / name)};
    const std::string only_train = only_in(layout.train, layout.test),
                      only_test = only_in(layout.test, layout.train);
    check(only_train == "none" && only_test == "none", folder.string(), ": train and ", name,
          " have different classes; only in train: ", only_train, "; only in ", name, ": ",
          only_test);
    return layout;
  }
  return {classes_in(folders_in(folder).size() == 1 ? train : folder), {}};
}

}  // namespace pade::data
