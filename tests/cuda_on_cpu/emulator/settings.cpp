#include <emu/emulator.h>

#include <cstdlib>

#include "random.h"

namespace emu {
namespace {

Settings from_environment() {
  Settings settings;
  if (const char* seed = std::getenv("EMU_SEED")) settings.seed = std::strtoull(seed, nullptr, 0);
  if (const char* guard = std::getenv("EMU_GUARD")) settings.guard = *guard != '0';
  return settings;
}

Counts counted{};

}  // namespace

Settings& settings() {
  static Settings settings = from_environment();
  return settings;
}

Counts& counts() { return counted; }
void reset_counts() { counted = {}; }

uint32_t random_below(uint32_t end) {
  static uint64_t seed = 0, state = 0;
  if (state == 0 || seed != settings().seed) {
    seed = settings().seed;
    state = seed * 0x9e3779b97f4a7c15u | 1;
  }
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return static_cast<uint32_t>(state >> 20) % end;
}

}  // namespace emu
