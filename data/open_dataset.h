#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <pade/data/dataset.h>

namespace pade::data {

/// The data sets that can be found by name.
std::vector<std::string> dataset_names();

/// The folder that holds the files of a data set: the first of these that has them all, where a
/// folder F stands for F itself and for the set's own folder in it: F/mnist, F/fashion-mnist,
/// F/cifar-10-batches-bin or F/cifar-10-batches-py, F/cifar-100-binary or F/cifar-100-python.
///   1. `data_dir` (a program's --data), if given; then no other place is looked at
///   2. the environment variable PADE_DATA
///   3. /usr/share/datasets, where the system's packages put them
///   4. pade in the user's cache: $XDG_CACHE_HOME, or else ~/.cache
/// What is in none of them is fetched into the cache, from the set's official addresses, or from
/// $PADE_MIRROR where that variable names a server of your own, with folders as in the cache and
/// CIFAR's archives beside them.
///
/// Throws Error for an unknown name, and when the files are not found or cannot be fetched.
std::filesystem::path find_dataset(std::string_view name,
                                   const std::filesystem::path& data_dir = {});

/// The data set of that name, from the folder where find_dataset() finds it; or, where `name` is no
/// known name but the path of a folder, the ImageFolder there. Throws Error as they do.
std::unique_ptr<Dataset> open_dataset(std::string_view name, Split split,
                                      const std::filesystem::path& data_dir = {});

struct DatasetSplits {
  std::unique_ptr<Dataset> train, test;
};

/// Both splits, in one go: the images of a folder are then decoded only once.
DatasetSplits open_datasets(std::string_view name, const std::filesystem::path& data_dir = {});

}  // namespace pade::data
