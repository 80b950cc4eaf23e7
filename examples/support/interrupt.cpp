#include <unistd.h>

#include <csignal>
#include <string>
#include <utility>

#include "support/interrupt.h"

namespace pade::support {
namespace {

volatile std::sig_atomic_t signal_came = 0;
std::string last_word;

extern "C" void note_signal(int signal) {
  signal_came = 1;
  std::signal(signal, SIG_DFL);
}

extern "C" void say_and_end(int signal) {
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, last_word.data(), last_word.size());
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

}  // namespace

void catch_interrupts() {
  std::signal(SIGINT, note_signal);
  std::signal(SIGTERM, note_signal);
  std::signal(SIGUSR1, note_signal);  // mpirun passes it on, and schedulers send it in good time
}

void obey_interrupts(std::string word) {
  last_word = std::move(word);
  std::signal(SIGINT, say_and_end);
  std::signal(SIGTERM, say_and_end);
}

bool interrupted() { return signal_came != 0; }

}  // namespace pade::support
