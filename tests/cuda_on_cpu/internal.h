#pragma once
#include <cuda_runtime.h>
#include <emu/emulator.h>
#include <functional>
#include <string>
#include <vector>
namespace emu {
// One record per 4-byte word of device or shared memory.
struct Shadow {
  uint64_t wtime = 0, rtime = 0;    // 0: never in this run
  uint32_t wblock = 0, rblock = 0;  // block serial numbers (unique over all launches)
  uint16_t wtid = 0, rtid = 0;
  uint8_t init = 0;  // initialised bytes
  uint8_t wmask = 0, rmask = 0;
  uint8_t flags = 0;  // 1: last write atomic, 2: read by several threads, 16: of several warps, 4:
                      // of several blocks
  uint32_t wlaunch = 0, rlaunch = 0;  // launch numbers
};
struct Alloc {
  char* p;
  size_t n;
  uint64_t id;
  emu::Loc loc;
  std::vector<Shadow> shadow;
  char* map;
  size_t maplen;
};
Alloc* find_alloc(const void*);  // page table look-up; 0 for what is not device memory
bool in_arena(const void*);
void guard_open();  // device memory accessible (nests)
void guard_close();
void set_error(cudaError_t, std::string report);
bool sticky();
bool instrumented();  // some TU was built with the hooks
void run_grid(const LaunchDesc&, Invoke, const void* args, size_t args_bytes);
extern bool in_kernel;
// Held while the emulator's own code runs on behalf of a kernel.  The linker may have picked an
// instrumented copy of an inline function (std::string, std::vector) for it; the hooks then do
// nothing.
struct Inside {
  bool was = in_kernel;
  Inside() { in_kernel = false; }
  ~Inside() { in_kernel = was; }
};
std::string where(const void* pc);
std::string fn_name(const void* fn);
void enqueue(cudaStream_t, std::function<void()>);
uint32_t xrand();
}  // namespace emu
