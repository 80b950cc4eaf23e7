#pragma once

#include <pade/layers/study/rational_function.h>

namespace pade {

/// a·G with E[(a·G(X))²] = second_moment for X ~ N(0, q): the activation to start a deep plain
/// network with, where second_moment is what its weights ask for (assumed_second_moment() in
/// layers/init.h), so that q is a fixed point of the variance:
///
///   scale_to_second_moment(hp1_preset().start)        // with Init::lecun_normal, at variance 1
///   scale_to_second_moment(hp1_preset().start, 0.5)   // with Init::he_normal
///
/// Only the numerator changes. Throws Error unless second_moment and q are positive and finite, and
/// where the integral is zero or does not converge, as at a pole.
RationalFunction scale_to_second_moment(RationalFunction g, double second_moment = 1, double q = 1);

}  // namespace pade
