#pragma once

#include <string>
#include <vector>

#include <pade/layers/activation.h>

#include "onnx/graph.h"

namespace pade::onnx {

/// The function of each group of channels, which an activation has now.
std::vector<ActivationFunction> functions_of(const Activation& activation);

/// Adds f(x) to a graph, for a value x of this shape, and returns its name. With more than one
/// function, the channels, axis 1, are cut into that many runs. Rational functions in float32 are
/// finite for every finite x where core/ops/rational.h says that they are; formulas are
/// those of core/kernels/math/formula.h, operator by operator, or the operator that ONNX has for
/// them. Throws Error where the channels cannot be cut.
std::string add_activation(Graph& graph, const std::vector<ActivationFunction>& groups,
                           const std::string& x, const Shape& shape);

/// The ONNX file of a function of one variable, x [N] → y [N]; of several, of groups of channels,
/// x [N, groups] → y [N, groups], a column for each.
std::string onnx_of(const std::vector<ActivationFunction>& groups, const Description& description);

}  // namespace pade::onnx
