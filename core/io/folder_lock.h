#pragma once

#include <chrono>
#include <filesystem>
#include <optional>

namespace pade {

/// While in scope, a folder belongs to this process and to the children that it starts. The lock is
/// on a file in the folder, which names the owner and goes away with the lock. The system releases
/// it when the last of these processes ends, in whatever way, so none is ever left behind. A file
/// system that knows no locks, as Lustre may be mounted, gives none, and nothing is said of it.
class FolderLock {
 public:
  static constexpr const char* kName = ".lock";

  /// Locks `folder/.lock`. Waits while another process or thread has it, as long as it takes or at
  /// most for `patience`. Throws Error, which names the owner, when that time is over, and when the
  /// file cannot be made.
  explicit FolderLock(const std::filesystem::path& folder,
                      std::optional<std::chrono::milliseconds> patience = {});
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  bool try_to_lock();

  std::filesystem::path path_;
  int descriptor_ = -1;
};

}  // namespace pade
