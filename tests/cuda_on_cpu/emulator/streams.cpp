#include "streams.h"

#include <deque>
#include <set>
#include <utility>

#include "device_memory.h"
#include "errors.h"
#include "random.h"

namespace emu {

struct Work {
  uint64_t number;  ///< counted over all streams
  std::function<void()> run;
};

struct Stream {
  std::deque<Work> queue;
};

struct Event {
  Stream* stream = nullptr;  ///< where it was recorded last
  uint64_t number = 0;       ///< of the work that it comes after
  bool happened = true;
};

namespace {

Stream default_stream;
std::set<Stream*> streams{&default_stream};
uint64_t work_count = 0;

Stream& stream_of(cudaStream_t stream) { return stream ? *stream : default_stream; }

void run_first(Stream& stream) {
  const Work work = std::move(stream.queue.front());
  stream.queue.pop_front();
  if (lasting_error() == cudaSuccess) work.run();
}

void run_up_to(Stream& stream, uint64_t number) {
  const DeviceWorks works;
  while (!stream.queue.empty() && stream.queue.front().number <= number) run_first(stream);
}

}  // namespace

void enqueue(cudaStream_t stream, std::function<void()> work) {
  stream_of(stream).queue.push_back({++work_count, std::move(work)});
}

void finish(cudaStream_t stream) { run_up_to(stream_of(stream), work_count); }

void finish_all_streams() {
  const DeviceWorks works;
  for (;;) {
    std::vector<Stream*> waiting;
    for (Stream* stream : streams)
      if (!stream->queue.empty()) waiting.push_back(stream);
    if (waiting.empty()) return;
    run_first(*waiting[random_below(static_cast<uint32_t>(waiting.size()))]);
  }
}

}  // namespace emu

using namespace emu;

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  if (flags != cudaStreamNonBlocking)  // others would wait for the default stream
    return report(cudaErrorInvalidValue, "the emulation has non-blocking streams only");
  *stream = new Stream;
  streams.insert(*stream);
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  finish(stream);
  streams.erase(stream);
  delete stream;
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  finish(stream);
  return lasting_error();
}

cudaError_t cudaDeviceSynchronize() {
  finish_all_streams();
  return lasting_error();
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  // What is waited for is the event as it stands, not as it is recorded later.
  enqueue(stream, [other = event->stream, number = event->number] {
    if (other) run_up_to(*other, number);
  });
  return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  *event = new Event;
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  event->stream = &stream_of(stream);
  event->happened = false;
  enqueue(stream, [event] { event->happened = true; });
  event->number = work_count;
  return cudaSuccess;
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  return event->happened ? cudaSuccess : cudaErrorNotReady;
}
