#include <cstring>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <pade/core/error.h>
#include <pade/core/kernels/cuda/upload.h>
#include <pade/core/kernels/cuda/kernel.cuh>

namespace pade::cuda {
namespace {

/// Page-locked memory of the host, from which the GPU copies without our waiting for it.
struct StagingBuffer {
  void* memory = nullptr;
  size_t bytes = 0;
  cudaEvent_t copied = nullptr;  ///< the last copy out of it is done
  bool taken = false;            ///< a copy was begun, and nobody has asked for its result yet
};

cudaEvent_t new_event() {
  cudaEvent_t event = nullptr;
  check_cuda(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "an event of the GPU");
  return event;
}

/// The stream of the copies, and the buffers they come from.
class Uploads {
 public:
  Uploads() : kernels_so_far_(new_event()) {
    check_cuda(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "a stream of the GPU");
  }

  StagingBuffer& begin(const Tensor& from, Tensor& to) {
    const std::lock_guard lock(mutex_);
    StagingBuffer& buffer = free_buffer(from.bytes());
    dispatch(from.dtype(), [&](auto zero) {
      using T = decltype(zero);
      std::memcpy(buffer.memory, from.data<T>(), from.bytes());
      // Kernels that were launched before may still use the memory that the allocator gave us.
      check_cuda(cudaEventRecord(kernels_so_far_, stream()), "upload");
      check_cuda(cudaStreamWaitEvent(stream_, kernels_so_far_, 0), "upload");
      check_cuda(cudaMemcpyAsync(to.mutable_address<T>(), buffer.memory, from.bytes(),
                                 cudaMemcpyHostToDevice, stream_),
                 "upload");
    });
    check_cuda(cudaEventRecord(buffer.copied, stream_), "upload");
    buffer.taken = true;
    return buffer;
  }

  /// From here on kernels wait for the copy out of `buffer`.
  void finish(StagingBuffer& buffer) {
    const std::lock_guard lock(mutex_);
    buffer.taken = false;
    check_cuda(cudaStreamWaitEvent(stream(), buffer.copied, 0), "upload");
  }

 private:
  /// One of at least so many bytes that no copy needs any more.
  StagingBuffer& free_buffer(size_t bytes) {
    for (const auto& buffer : buffers_)
      if (!buffer->taken && buffer->bytes >= bytes && cudaEventQuery(buffer->copied) == cudaSuccess)
        return *buffer;
    cudaGetLastError();  // "not ready" is not an error
    auto buffer = std::make_unique<StagingBuffer>();
    check_cuda(cudaMallocHost(&buffer->memory, bytes), "page-locked memory");
    buffer->bytes = bytes;
    buffer->copied = new_event();
    buffers_.push_back(std::move(buffer));
    return *buffers_.back();
  }

  std::mutex mutex_;
  cudaStream_t stream_ = nullptr;
  cudaEvent_t kernels_so_far_;
  std::vector<std::unique_ptr<StagingBuffer>> buffers_;
};

/// Never destroyed: the driver may be gone by then.
Uploads& uploads() {
  static Uploads& instance = *new Uploads;
  return instance;
}

/// One copy on its way.
class Upload {
 public:
  explicit Upload(const Tensor& from)
      : tensor_(Tensor::empty(from.shape(), from.dtype(), Device::cuda)) {
    if (from.size() > 0) buffer_ = &uploads().begin(from, tensor_);
  }
  Upload(const Upload&) = delete;
  Upload& operator=(const Upload&) = delete;

  /// The memory may be given to somebody else now, whose kernels must not come before the copy.
  ~Upload() {
    try {
      finish();
    } catch (const Error&) {  // a broken GPU says so again on the next call
    }
  }

  Tensor finish() {
    if (StagingBuffer* buffer = std::exchange(buffer_, nullptr)) uploads().finish(*buffer);
    return tensor_;
  }

 private:
  Tensor tensor_;
  StagingBuffer* buffer_ = nullptr;
};

}  // namespace

std::function<Tensor()> begin_upload(const Tensor& tensor) {
  check(!tensor.on_cuda(), "upload: expected a tensor on cpu, got one on cuda");
  return [upload = std::make_shared<Upload>(tensor)] { return upload->finish(); };
}

}  // namespace pade::cuda
