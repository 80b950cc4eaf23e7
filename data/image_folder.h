#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <pade/core/size2.h>
#include <pade/data/dataset.h>

namespace pade::data {

struct ImageFolderOptions {
  Size2 size = 32;          ///< to which images are resized, each side in [1, 1024]
  int64_t channels = 3;     ///< red, green, blue; or 1: brightness
  double test_share = 0.2;  ///< of every class, where there is no folder of images to test with
  int64_t max_pixels = 1 << 25;  ///< larger images are skipped, before they are decoded
};

/// A file that was not used, and why.
struct SkippedFile {
  std::filesystem::path path;
  std::string reason;  ///< as `it is truncated`
};

struct ImageFolderSplits;

/// Photographs of one's own: a folder whose sub-folders are the classes, numbered in the order of
/// their names. The images of a class are the PNG, JPEG, BMP, PPM and PGM files in its folder and
/// those below it, whatever their size and their names; hidden files are ignored, and links to
/// folders are not followed.
///
/// Where the folder has one named train or training and one named test, testing, val, valid or
/// validation, in upper or lower case, with the same classes each, these are the splits. Otherwise
/// `test_share` of every class, chosen by a hash of the file's name, is for testing: the same ones
/// wherever the folder is, and few change their side when images come or go. A class of two images
/// or more has at least one on each side; a single one is for training. A test folder without
/// classes, as of images that nobody has labelled, is not used.
///
/// Images are decoded once, by several threads, and held as bytes in one size: shrunk to means over
/// areas, or enlarged linearly, without regard to their aspect. An image of 1×1 is one like others.
/// A file that is not such an image, or is damaged, truncated, animated or too large, is skipped,
/// and listed in skipped(). Mean and deviation are those of the images to train with; a deviation
/// below 1/255, one level of a pixel, counts as that.
class ImageFolder final : public StoredDataset {
 public:
  /// Throws Error when there is no such folder, there are fewer than two classes, a class has no
  /// image that can be read, the splits' classes differ, or there is nothing to test with; and for
  /// options that make no sense. To open both splits, read_image_folder() takes half the time.
  ImageFolder(const std::filesystem::path& folder, Split split,
              const ImageFolderOptions& options = {});

  /// Where the classes of this split are: the folder that was given, or one in it.
  const std::filesystem::path& folder() const { return folder_; }
  /// The files of both splits that are not used, class by class.
  const std::vector<SkippedFile>& skipped() const { return skipped_; }

 private:
  friend ImageFolderSplits read_image_folder(const std::filesystem::path& folder,
                                             const ImageFolderOptions& options);
  using StoredDataset::StoredDataset;

  std::filesystem::path folder_;
  std::vector<SkippedFile> skipped_;
};

struct ImageFolderSplits {
  ImageFolder train, test;
};

/// Both splits, which share the images. Throws Error as ImageFolder does.
ImageFolderSplits read_image_folder(const std::filesystem::path& folder,
                                    const ImageFolderOptions& options = {});

}  // namespace pade::data
