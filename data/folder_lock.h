#pragma once

#include <filesystem>

namespace pade::data {

/// While in scope, held by one process (and one thread of it) at a time; the others wait.
class FolderLock {
 public:
  /// By the file `folder/name`, which is made. Throws Error when it cannot be.
  explicit FolderLock(const std::filesystem::path& folder, const char* name = ".lock");
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_;
};

}  // namespace pade::data
