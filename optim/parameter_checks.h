#pragma once

#include <string>
#include <utility>
#include <vector>

#include <pade/optim/optimizer.h>

/// What optimisers refuse, with what is wrong and with the names.
namespace pade {

/// Throws Error unless rate and decay are finite and at least 0.
void check_rates(const ParameterGroup& group);

/// Throws Error as Optimizer's constructor does.
void check_groups(const std::vector<ParameterGroup>& groups);

/// For what is changed in place, one tensor after the other or all at once on the GPU: throws Error
/// when two of them show the same memory, with `who` wants it and their names.
void check_no_overlap(const char* who, const std::vector<std::pair<std::string, Tensor>>& tensors);

}  // namespace pade
