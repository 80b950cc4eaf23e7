#pragma once

#include <pade/core/size2.h>
#include <pade/core/tensor.h>

namespace pade {

/// Filters of a first convolution that whitens patches of images (Coates and Ng 2012; as the start
/// of a network: Page, How to Train Your ResNet 8, 2019). `images` are float32 [N, C, H, W]; of all
/// their patches p, K = C · kernel.h · kernel.w numbers each, the mean of p pᵀ has eigenvalues λ
/// and eigenvectors v. Returns [2K, C, kernel.h, kernel.w]: v / √(λ + eps), the largest λ first,
/// then the negative of each. Throws Error unless there is a patch, and eps > 0.
Tensor whitening_filters(const Tensor& images, Size2 kernel, double eps = 5e-4);

}  // namespace pade
