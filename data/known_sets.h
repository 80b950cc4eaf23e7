#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <pade/data/dataset.h>
#include <pade/data/fetch.h>

namespace pade::data {

/// A data set that can be found by name: where it comes from, and what it consists of. The sums are
/// those of the files that its authors publish; copies from elsewhere may be compressed
/// differently.
struct KnownSet {
  std::string name;
  std::string folder;                   ///< what its own folder is called
  std::vector<std::string> urls;        ///< tried in turn
  std::vector<RemoteFile> downloads;    ///< in its folder, or the same without .gz …
  std::vector<std::string> unpacked{};  ///< … or these, when the one download is an archive of them
  std::string python_folder{};  ///< of the Python version, whose files are those without .bin
  std::string package{};        ///< of Debian and Ubuntu; empty when there is none
  std::unique_ptr<Dataset> (*open)(const std::filesystem::path& folder, Split split);

  bool is_archive() const { return !unpacked.empty(); }
};

const std::vector<KnownSet>& known_sets();

/// Nothing when there is none of that name.
const KnownSet* find_known_set(std::string_view name);
/// Throws Error, naming the known ones, when there is none of that name.
const KnownSet& set_named(std::string_view name);

}  // namespace pade::data
