#pragma once

#include <string>
#include <utility>
#include <vector>

#include <pade/core/error.h>
#include <pade/core/tensor.h>

namespace pade {

/// For what is changed in place, one tensor after the other or all at once on the GPU: throws Error
/// when two of them show the same memory, with `who` wants it and their names.
inline void check_no_overlap(const char* who,
                             const std::vector<std::pair<std::string, Tensor>>& tensors) {
  for (size_t i = 0; i < tensors.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      if (tensors[i].second.overlaps(tensors[j].second))
        fail(who, ": \"", tensors[j].first, "\" and \"", tensors[i].first,
             "\" share memory, which would be changed twice; clone() one of them");
}

}  // namespace pade
