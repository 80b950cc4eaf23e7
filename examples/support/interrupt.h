#pragma once

namespace pade::support {

/// From here on SIGINT and SIGTERM only set a flag, so that a program can finish its step and write
/// a checkpoint; a second signal ends the process at once.
void catch_interrupts();
/// Whether such a signal has come.
bool interrupted();

inline constexpr int kExitInterrupted = 130;

}  // namespace pade::support
