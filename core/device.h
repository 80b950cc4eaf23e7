#pragma once

#include <iosfwd>
#include <string_view>

namespace pade {

enum class Device { cpu, cuda };

/// Whether this build has GPU kernels. Without them a tensor on Device::cuda cannot be made.
inline constexpr bool kHasCuda = false;

/// "cpu" or "cuda".
const char* name_of(Device device);
/// The device of that name. Throws Error that lists the names.
Device device_named(std::string_view name);
std::ostream& operator<<(std::ostream& out, Device device);

/// Throws an Error that says why, when tensors cannot live on `device` here.
void require_available(Device device);

}  // namespace pade
