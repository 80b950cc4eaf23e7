#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace pade::data {

/// A class of an image folder, with its files in the order of their names.
struct ClassFolder {
  std::string name;
  std::vector<std::filesystem::path> files;
};

/// What an image folder consists of, by the rules of image_folder.h.
struct ImageFolderLayout {
  std::filesystem::path train_folder, test_folder;  ///< those that hold the classes
  std::vector<ClassFolder> train;                   ///< or, without a `test`, for both
  std::vector<ClassFolder> test;
};

/// Throws Error as ImageFolder does, as far as no file need be opened for it.
ImageFolderLayout layout_of(const std::filesystem::path& folder);

}  // namespace pade::data
