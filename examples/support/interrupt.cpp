#include <csignal>

#include "support/interrupt.h"

namespace pade::support {
namespace {

volatile std::sig_atomic_t signal_came = 0;

extern "C" void note_signal(int signal) {
  signal_came = 1;
  std::signal(signal, SIG_DFL);
}

}  // namespace

void catch_interrupts() {
  std::signal(SIGINT, note_signal);
  std::signal(SIGTERM, note_signal);
}

void obey_interrupts() {
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
}

bool interrupted() { return signal_came != 0; }

}  // namespace pade::support
