#pragma once

#include <iosfwd>
#include <string>
#include <string_view>

namespace pade {

enum class Device { cpu, cuda };

/// "cpu" or "cuda".
const char* name_of(Device device);
/// The device of that name. Throws Error that lists the names.
Device device_named(std::string_view name);
std::ostream& operator<<(std::ostream& out, Device device);

/// Why tensors cannot live on `device` here: a build without GPU kernels, no GPU, no driver. Empty
/// when they can. The first question about cuda looks for a GPU; it never throws.
std::string why_unavailable(Device device);
inline bool is_available(Device device) { return why_unavailable(device).empty(); }
/// Throws an Error that says why, when tensors cannot live on `device`.
void require_available(Device device);

/// One line about what was found, for run records and bug reports: the GPU, its memory, driver and
/// library versions; or why there is none.
std::string describe_gpu();

/// Waits until the GPU has done all that it was asked to do, and throws an Error when something of
/// it failed. Only needed for measuring: reading a tensor's elements waits by itself.
void synchronize(Device device);

/// Whether matrix products and convolutions of float32 tensors on the GPU may round their factors
/// to TF32 (10 bits of mantissa) for the tensor cores. Off at first: results are then float32's.
void allow_tf32(bool allowed);
bool tf32_allowed();

}  // namespace pade
