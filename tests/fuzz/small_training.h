#pragma once

#include <pade/layers/dropout.h>
#include <pade/layers/linear.h>
#include <pade/layers/rational.h>
#include <pade/layers/sequential.h>
#include <pade/optim/sgd.h>

#include "support/checkpoint.h"

namespace pade::fuzz {

/// What a state file belongs to: parameters, moments, a generator.
struct SmallTraining {
  Sequential network{Linear(2, 3), Rational::hp1(), Dropout(0.5f)};
  Sgd optimizer{network.parameters(), {.lr = 0.1, .momentum = 0.9}};

  support::TrainingState state() { return {network, optimizer}; }
};

}  // namespace pade::fuzz
