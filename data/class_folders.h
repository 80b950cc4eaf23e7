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
  std::vector<ClassFolder> train;  ///< or, without a `test`, for both
  std::vector<ClassFolder> test;
};

/// Throws Error as ImageFolder does, as far as no file need be opened for it.
ImageFolderLayout layout_of(const std::filesystem::path& folder);

/// Whether a file of that name is said to be an image that we read, or that we do not.
bool has_readable_extension(const std::filesystem::path& file);

}  // namespace pade::data
