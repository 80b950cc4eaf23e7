// What the tests see of the emulator (project code never includes this).
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
namespace emu {
struct Config {
  uint64_t seed =
      0;  // 0: fixed order; else threads, warps, blocks and streams run in a seeded random order
  bool strict_exit = true;   // a thread that returned before another's __syncthreads is an error
  bool lazy_streams = true;  // asynchronous work runs only when something waits for it
  bool guard = true;         // host code that touches device memory gets SIGSEGV (mprotect)
  bool poison = true;        // fresh device and shared memory is 0xff.. (NaN)
  bool races = true;         // only with instrumented kernels
  bool profile =
      false;           // count traffic, sectors and bank conflicts (only with instrumented kernels)
  bool quiet = false;  // keep reports out of stderr
};
Config& config();  // first read of EMU_SEED, EMU_GUARD, EMU_PROFILE
struct Stats {     // since the last reset_stats()
  uint64_t launches, blocks, threads, barriers, switches;
  uint64_t gld_bytes, gst_bytes;    // requested by kernels, global memory
  uint64_t gld_unique, gst_unique;  // distinct bytes touched per launch
  uint64_t gld_req, gst_req, gld_sectors,
      gst_sectors;  // warp requests and 32-byte sectors (profile)
  uint64_t sld_req, sst_req,
      bank_extra;        // shared requests and extra cycles by bank conflicts (profile)
  uint64_t shared_peak;  // largest shared memory of one block, bytes
};
Stats& stats();
void reset_stats();
std::string take_report();  // text of the errors since the last call, "" if none
void reset_device();        // clears the sticky error (a test that provoked one calls it)
size_t live_bytes();
size_t live_allocations();
std::string leak_report();
bool is_device_ptr(const void*);
bool instrumented();  // whether every access of the kernels is looked at
}  // namespace emu
