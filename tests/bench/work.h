#pragma once

#include <functional>
#include <string>
#include <vector>

#include <pade/layers/sequential.h>

/// What pade_bench and pade_benchmarks repeat.
namespace pade::bench {

/// One repetition. What it works on is made beforehand and belongs to it.
using Work = std::function<void()>;

/// Normally distributed numbers, the same few million again and again where more are asked for.
Tensor random_numbers(const Shape& shape, Device device = Device::cpu);

/// Images [N, C, H, W] of random numbers, to ten classes: forward, backward, and a step of SGD with
/// momentum.
Work training_step(const std::function<Sequential()>& make_network, const Shape& images,
                   Device device = Device::cpu);

/// float32 numbers, from one place to another.
Work copying(int64_t elements, Device device = Device::cpu);

enum class Pass { forward, training };
/// "forward" or "training". Throws Error that lists the names.
Pass pass_named(const std::string& name);

/// The result of `function`, down to its last element; training: and then backward from it, with
/// random numbers for its gradient, to all leaves that it depends on.
Work pass_of(std::function<Tensor()> function, Pass pass);

}  // namespace pade::bench
