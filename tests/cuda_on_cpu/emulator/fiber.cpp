#include "fiber.h"

#include <pthread.h>
#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

#if defined(__x86_64__)
// Saves what the calling convention has the callee keep, and takes another stack in exchange, where
// the same was saved. The jump in place of a return spares a misprediction.
extern "C" void emu_switch_stacks(void** from, void* to);
asm(R"(
.text
.p2align 4
.globl emu_switch_stacks
.type emu_switch_stacks,@function
emu_switch_stacks:
  .cfi_startproc
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  popq %rcx
  jmp *%rcx
  .cfi_endproc
.size emu_switch_stacks,.-emu_switch_stacks
)");
#endif

namespace emu {
namespace {

constexpr size_t kGuardBytes = 4096;

char* new_stack() {
  void* memory = mmap(nullptr, kGuardBytes + Fiber::kStackBytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    std::perror("emu: no memory for a stack");
    std::abort();
  }
  mprotect(memory, kGuardBytes, PROT_NONE);
  return static_cast<char*>(memory) + kGuardBytes;
}

}  // namespace

Fiber::Fiber() {
#if defined(__SANITIZE_ADDRESS__)
  pthread_attr_t attributes;
  pthread_getattr_np(pthread_self(), &attributes);
  void* begin = nullptr;
  pthread_attr_getstack(&attributes, &begin, &stack_bytes_);
  pthread_attr_destroy(&attributes);
  stack_ = static_cast<char*>(begin);
#endif
}

Fiber::Fiber(void (*entry)()) : stack_(new_stack()), stack_bytes_(kStackBytes), entry_(entry) {
  restart();
}

void Fiber::restart() {
#if defined(__SANITIZE_ADDRESS__)
  __asan_unpoison_memory_region(stack_, stack_bytes_);
#endif
  sanitizer_stack_ = nullptr;
#if defined(__x86_64__)
  // What emu_switch_stacks pops: six registers, the entry's address, and above it a return address
  // of nobody, which also aligns the stack.
  constexpr int kRegisters = 6;
  void** top = reinterpret_cast<void**>(stack_ + stack_bytes_);
  *--top = nullptr;
  *--top = reinterpret_cast<void*>(entry_);
  for (int i = 0; i < kRegisters; ++i) *--top = nullptr;
  stack_pointer_ = top;
#else
  getcontext(&context_);
  context_.uc_stack.ss_sp = stack_;
  context_.uc_stack.ss_size = stack_bytes_;
  context_.uc_link = nullptr;
  makecontext(&context_, entry_, 0);
#endif
}

void Fiber::switch_to(Fiber& other) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(&sanitizer_stack_, other.stack_, other.stack_bytes_);
#endif
#if defined(__x86_64__)
  emu_switch_stacks(&stack_pointer_, other.stack_pointer_);
#else
  swapcontext(&context_, &other.context_);
#endif
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(sanitizer_stack_, nullptr, nullptr);
#endif
}

void Fiber::begin_entry() {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(nullptr, nullptr, nullptr);
#endif
}

}  // namespace emu
