#include <cuda_runtime.h>

/// In a file without hooks: an atomic is one access, not a read and a write.
namespace {

/// Stores update(old) and gives the old value; `caller` is where the kernel called.
template <class T, class Update>
T atomically(T* address, const void* caller, Update&& update) {
  emu::check_access(address, sizeof(T), true, true, caller);
  const T old = *address;
  *address = update(old);
  return old;
}

}  // namespace

int atomicAdd(int* address, int value) {
  return atomically(address, __builtin_return_address(0), [value](int old) {
    return static_cast<int>(static_cast<unsigned>(old) + static_cast<unsigned>(value));
  });
}

float atomicAdd(float* address, float value) {
  return atomically(address, __builtin_return_address(0),
                    [value](float old) { return old + value; });
}
