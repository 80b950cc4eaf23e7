#pragma once

#include <string>
#include <utility>
#include <vector>

#include <pade/core/tensor.h>

namespace pade {

/// For what is changed in place, one tensor after the other or all at once on the GPU: throws Error
/// when two of them show the same memory, with `who` wants it and their names.
void check_no_overlap(const char* who, const std::vector<std::pair<std::string, Tensor>>& tensors);

}  // namespace pade
