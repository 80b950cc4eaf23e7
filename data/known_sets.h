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
  std::vector<std::string> urls;  ///< tried in turn
  std::vector<RemoteFile> files;  ///< in its folder, or the same without .gz
  std::string package;            ///< of Debian and Ubuntu; empty when there is none
  std::unique_ptr<Dataset> (*open)(const std::filesystem::path& folder, Split split);
};

const std::vector<KnownSet>& known_sets();

/// Throws Error, naming the known ones, when there is none of that name.
const KnownSet& set_named(std::string_view name);

}  // namespace pade::data
