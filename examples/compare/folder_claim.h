#pragma once

#include <string>

namespace pade::compare {

/// While in scope, no other process can claim that folder; the children of this one hold the claim
/// too, as long as they live. So a grid whose compare was killed is not taken up again while its
/// runs are still writing their last checkpoints.
class FolderClaim {
 public:
  /// Waits a few seconds for one that ends. Throws Error when it does not.
  explicit FolderClaim(const std::string& folder);
  ~FolderClaim();
  FolderClaim(const FolderClaim&) = delete;
  FolderClaim& operator=(const FolderClaim&) = delete;

 private:
  int descriptor_;
};

}  // namespace pade::compare
