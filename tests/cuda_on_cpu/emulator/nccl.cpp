// The few functions of NCCL that the library looks up by name, as one rank sees them whose values
// all other ranks have, too: a sum is the number of ranks times its own. What was called is written
// down, for tests that have no second GPU.
#include <cstring>
#include <string>

#include "device_memory.h"
#include "errors.h"
#include "streams.h"

namespace {

enum Result { success = 0, invalid_argument = 4 };
enum DataType { float32 = 7, float64 = 8 };
constexpr int kSum = 0;

struct UniqueId {
  char bytes[128];
};
struct Comm {
  int ranks, rank;
};

std::string calls;

size_t size_of(int type) { return type == float32 ? 4 : type == float64 ? 8 : 0; }

/// Calls change(memory) on the stream where all of it is memory of the device that was written.
template <class F>
int enqueue(const void* from, void* to, size_t count, int type, cudaStream_t stream, F change) {
  const size_t bytes = count * size_of(type);
  if (bytes == 0 || from != to) return invalid_argument;
  emu::enqueue(stream, [=] {
    emu::Allocation* block = emu::allocation_of(to);
    if (!block || !block->has(to, bytes)) {
      emu::report(cudaErrorIllegalAddress, "NCCL: the values are not memory of the device");
      return;
    }
    emu::open_pages(*block);
    if (!block->shadows.empty())
      for (size_t i = 0; i < bytes; ++i)
        if (!emu::is_initialized(block->shadows, block->offset_of(to) + i)) {
          emu::report(cudaErrorIllegalAddress, "NCCL: the values were not written everywhere");
          return;
        }
    change();
  });
  return success;
}

template <class T>
void scale(void* values, size_t count, int factor) {
  for (size_t i = 0; i < count; ++i) static_cast<T*>(values)[i] *= static_cast<T>(factor);
}

}  // namespace

extern "C" {

/// What was called since the last time this was.
const char* emu_nccl_calls() {
  static std::string told;
  told = calls;
  calls.clear();
  return told.c_str();
}

int ncclGetVersion(int* version) {
  *version = 22809;
  return success;
}
const char* ncclGetErrorString(int result) { return result == success ? "success" : "invalid"; }

int ncclGetUniqueId(UniqueId* id) {
  std::memset(id->bytes, 0, sizeof id->bytes);
  std::strcpy(id->bytes, "the id of rank 0");
  calls += "id; ";
  return success;
}
int ncclCommInitRank(void** comm, int ranks, UniqueId id, int rank) {
  calls += "rank " + std::to_string(rank) + " of " + std::to_string(ranks) + " joins " +
           std::string(id.bytes) + "; ";
  *comm = new Comm{ranks, rank};
  return success;
}
int ncclAllReduce(const void* from, void* to, size_t count, int type, int operation, void* comm,
                  cudaStream_t stream) {
  if (operation != kSum) return invalid_argument;
  calls += "sum of " + std::to_string(count) + (type == float32 ? " float32; " : " float64; ");
  return enqueue(from, to, count, type, stream, [=, ranks = static_cast<Comm*>(comm)->ranks] {
    if (type == float32)
      scale<float>(to, count, ranks);
    else
      scale<double>(to, count, ranks);
  });
}
int ncclBroadcast(const void* from, void* to, size_t count, int type, int root, void*,
                  cudaStream_t stream) {
  if (root != 0) return invalid_argument;
  calls += "broadcast of " + std::to_string(count) + "; ";
  return enqueue(from, to, count, type, stream, [] {});
}

}  // extern "C"
