#pragma once

#include <string>

namespace pade::support {

/// From here on SIGINT, SIGTERM and SIGUSR1 only set a flag, so that a program can finish its step
/// and write a checkpoint; a second signal ends the process at once. Before, where no work would be
/// lost, the first one does: while data is fetched and read, or a lock is waited for.
void catch_interrupts();
/// From here on the first signal ends the process at once again, after `word` on stderr. Called
/// once.
void obey_interrupts(std::string word);
/// Whether such a signal has come while they were caught.
bool interrupted();

inline constexpr int kExitInterrupted = 130;

}  // namespace pade::support
