#include "profile.h"

#include <emu/emulator.h>

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "block.h"

namespace emu {
namespace {

constexpr uintptr_t kSector = 32, kBankBytes = 4, kBanks = 32;

/// What the lanes of a warp ask for at once.
struct Request {
  std::vector<uintptr_t> addresses;
  size_t bytes = 0;  ///< of each lane
  bool writes = false, shared = false;
};

/// An instruction of the kernel, by its return address.
struct Instruction {
  std::unordered_map<int, int> executions;          ///< of each thread so far
  std::map<std::pair<int, int>, Request> requests;  ///< by warp and execution
};

std::unordered_map<const void*, Instruction> instructions;

uint64_t sectors_of(const Request& request) {
  std::set<uintptr_t> sectors;
  for (const uintptr_t address : request.addresses)
    for (uintptr_t s = address / kSector; s <= (address + request.bytes - 1) / kSector; ++s)
      sectors.insert(s);
  return sectors.size();
}

/// Shared memory serves as many lanes at once as fill its banks, and each bank one word a cycle.
uint64_t conflicts_of(const Request& request) {
  const size_t at_once = kBanks * kBankBytes / std::clamp<size_t>(request.bytes, 4, 16);
  uint64_t conflicts = 0;
  for (size_t first = 0; first < request.addresses.size(); first += at_once) {
    std::set<uintptr_t> words[kBanks];
    size_t cycles = 1;
    for (size_t i = first; i < std::min(first + at_once, request.addresses.size()); ++i) {
      const uintptr_t begin = request.addresses[i] / kBankBytes;
      const uintptr_t end = (request.addresses[i] + request.bytes + kBankBytes - 1) / kBankBytes;
      for (uintptr_t word = begin; word < end; ++word) {
        auto& of_bank = words[word % kBanks];
        of_bank.insert(word);
        cycles = std::max(cycles, of_bank.size());
      }
    }
    conflicts += cycles - 1;
  }
  return conflicts;
}

}  // namespace

void add_to_profile(const Access& access, bool shared) {
  const int thread = block().running_thread();
  Instruction& instruction = instructions[access.caller];
  const int execution = instruction.executions[thread]++;
  Request& request = instruction.requests[{thread / kWarpLanes, execution}];
  request.addresses.push_back(reinterpret_cast<uintptr_t>(access.address));
  request.bytes = access.bytes;
  request.writes = access.writes;
  request.shared = shared;
}

void end_profile_of_block() {
  for (const auto& [address, instruction] : instructions)
    for (const auto& [key, request] : instruction.requests) {
      if (request.shared) {
        counts().shared_write_requests += request.writes;
        counts().bank_conflicts += conflicts_of(request);
      } else if (request.writes) {
        ++counts().write_requests;
        counts().write_sectors += sectors_of(request);
      }
    }
  instructions.clear();
}

}  // namespace emu
