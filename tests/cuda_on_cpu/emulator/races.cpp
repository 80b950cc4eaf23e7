#include "races.h"

#include <emu/emulator.h>

#include <algorithm>
#include <bit>

#include "block.h"

namespace emu {
namespace {

const char* name_of(Space space) { return space == Space::shared ? "shared" : "global"; }

/// Part of an access: bytes of one word.
struct Part {
  const Access& access;
  Space space;
  uint8_t bytes;  ///< a bit for each

  [[noreturn]] void race(const char* kind, const std::string& against) const {
    block().fail_in_hook(cudaErrorLaunchFailure, std::string("data race (") + kind + ") in " +
                                                     name_of(space) + " memory: " + access.text() +
                                                     ", against " + against);
  }
  [[noreturn]] void race_with_thread(const char* kind, int thread) const {
    race(kind, block().thread_name(thread) + " with no barrier between");
  }
  [[noreturn]] void race_with_block(const char* kind) const { race(kind, "another block"); }
};

bool concerns(const Shadow::Access& earlier, const Part& part) {
  return earlier.time != 0 && earlier.launch == block().launch_serial() &&
         (earlier.bytes & part.bytes) != 0;
}

void check_initialized(const Shadow& word, const Part& part) {
  if (part.access.writes && !part.access.atomic) return;
  if ((word.initialized & part.bytes) == part.bytes) return;
  block().fail_in_hook(cudaErrorIllegalAddress,
                       std::string(name_of(part.space)) +
                           " memory used before it was written: " + part.access.text());
}

void check_against_write(const Shadow& word, const Part& part) {
  if (!concerns(word.write, part) || (part.access.atomic && word.written_by_atomic)) return;
  const char* kind = part.access.writes ? "write after write" : "read after write";
  if (word.write.block != block().serial()) part.race_with_block(kind);
  if (!block().is_ordered_after(word.write.thread, word.write.time))
    part.race_with_thread(kind, word.write.thread);
}

void check_against_reads(const Shadow& word, const Part& part) {
  if (!part.access.writes || !concerns(word.read, part)) return;
  const char* kind = "write after read";
  const Shadow::Access& last = word.read;
  if (last.block != block().serial() || word.readers == Shadow::several_blocks)
    part.race_with_block(kind);
  const bool ordered =
      word.readers == Shadow::threads_of_a_block ? block().block_met_since(last.time)
      : word.readers == Shadow::threads_of_a_warp
          ? block().block_met_since(last.time) || block().own_warp_met_since(last.time)
          : true;
  if (!ordered || !block().is_ordered_after(last.thread, last.time))
    part.race_with_thread(kind, last.thread);
}

Shadow::Access now(const Part& part, Block::Time time) {
  return {time, block().serial(), block().launch_serial(),
          static_cast<uint16_t>(block().running_thread()), part.bytes};
}

void remember_write(Shadow& word, const Part& part, Block::Time time) {
  if (part.space == Space::global && word.write.launch != block().launch_serial())
    counts().bytes_written += std::popcount(part.bytes);
  word.write = now(part, time);
  word.written_by_atomic = part.access.atomic;
  word.initialized |= part.bytes;
  word.read.time = 0;
  word.readers = Shadow::one_thread;
}

/// How far apart the threads are that read since the last write, or the last barrier of the block.
Shadow::Readers readers_with_this(const Shadow& word) {
  const Shadow::Access& last = word.read;
  if (last.time == 0 || last.launch != block().launch_serial()) return Shadow::one_thread;
  if (word.readers == Shadow::several_blocks || last.block != block().serial())
    return Shadow::several_blocks;
  if (block().block_met_since(last.time)) return Shadow::one_thread;
  const int thread = block().running_thread();
  if (last.thread == thread) return word.readers;
  return std::max(word.readers, last.thread / kWarpLanes == thread / kWarpLanes
                                    ? Shadow::threads_of_a_warp
                                    : Shadow::threads_of_a_block);
}

void remember_read(Shadow& word, const Part& part, Block::Time time) {
  if (part.space == Space::global && word.read.launch != block().launch_serial())
    counts().bytes_read += std::popcount(part.bytes);
  word.readers = readers_with_this(word);
  word.read = now(part, time);
}

}  // namespace

void check_words(const Access& access, Shadows& shadows, size_t first, Space space) {
  const Block::Time time = block().tick();
  const size_t end = first + access.bytes;
  for (size_t word = first / 4; word * 4 < end; ++word) {
    const size_t from = std::max(first, word * 4) % 4, count = std::min(end - word * 4, size_t{4});
    const Part part{access, space, static_cast<uint8_t>((1u << count) - (1u << from))};
    Shadow& shadow = shadows[word];
    check_initialized(shadow, part);
    check_against_write(shadow, part);
    check_against_reads(shadow, part);
    if (access.writes)
      remember_write(shadow, part, time);
    else
      remember_read(shadow, part, time);
  }
}

}  // namespace emu
