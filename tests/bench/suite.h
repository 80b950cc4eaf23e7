#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "limits.h"
#include "work.h"

/// pade_benchmarks: the machine's limits, every op, the rational activation in all its forms, and
/// whole networks. Each benchmark tells its time, and where its Cost is known
///
///   GFLOP/s, GB/s   what it has to do at least, per second
///   limit           least_seconds() of that, of its time: 1 is as fast as this machine can be by
///                   that method (Winograd's convolutions, which multiply less, and what mostly
///                   reads, which is faster than copying, may exceed it).
namespace pade::bench {

/// A benchmark of that name. `make` is called before it runs, and what it made goes before the next
/// benchmark's is made. What measures a limit has no share of one.
void add_work(const std::string& name, Cost cost, std::function<Work()> make,
              bool is_limit = false);

/// A function of tensors that it holds, those it can be differentiated for being leaves.
using Function = std::function<Tensor()>;
/// Two benchmarks, NAME/forward and NAME/training (forward and backward). `training` is the cost of
/// both passes together.
void add_passes(const std::string& name, Cost forward, Cost training,
                std::function<Function()> make);

/// How many images are in a batch of those that follow, and how many threads there are, is chosen
/// on the command line, before these are called.
void add_limits();
void add_ops(int64_t batch);
void add_layers(int64_t batch);
void add_optimizers();
void add_rationals(int64_t batch);
void add_networks(int64_t batch);

// ---- What the files of the suite are written with -----------------------------------------------

/// Random numbers that get a gradient.
inline Tensor leaf(const Shape& shape) { return random_numbers(shape).requires_grad_(); }

/// The bytes of so many float32 numbers.
inline double floats(int64_t count) { return 4. * static_cast<double>(count); }

/// "128x64x32x32".
std::string extents(const Shape& shape);

}  // namespace pade::bench
