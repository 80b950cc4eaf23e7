#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

/// What tests see of the emulation.
namespace emu {

struct Settings {
  /// 0: threads, blocks and streams take turns in a fixed order; else in a random one of this seed.
  uint64_t seed = 0;
  /// Host code that touches memory of the GPU ends with SIGSEGV.
  bool guard = true;
  /// Requests, sectors and conflicts of banks are counted, in checked builds.
  bool profile = false;
  /// Reports are kept out of stderr.
  bool quiet = false;
};
/// At first what EMU_SEED and EMU_GUARD say.
Settings& settings();

/// Counted since reset_counts(), in checked builds only. Requests are a warp's; a sector is 32
/// bytes.
struct Counts {
  uint64_t bytes_read, bytes_written;  ///< of global memory, each byte once for each launch
  uint64_t write_requests, write_sectors;
  uint64_t shared_write_requests;
  uint64_t bank_conflicts;  ///< cycles of shared memory, beyond one for each request
};
Counts& counts();
void reset_counts();

/// Whether every access of the kernels is looked at.
bool checks_accesses();

/// What went wrong since the last call; nothing if nothing did.
std::string take_report();
/// Makes the device usable again after an error.
void reset_device();
/// Device memory that was not freed, with the places of allocation; nothing if there is none.
std::string leak_report();

}  // namespace emu
