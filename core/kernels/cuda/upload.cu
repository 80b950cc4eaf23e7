#include <cstring>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <pade/core/error.h>
#include <pade/core/kernels/cuda/upload.h>
#include <pade/core/kernels/cuda/event.cuh>
#include <pade/core/kernels/cuda/kernel.cuh>

namespace pade::cuda {
namespace {

/// Page-locked memory of the host, from which the GPU copies without our waiting for it. An Upload
/// shares it until it has been waited for.
struct StagingBuffer {
  void* memory = nullptr;
  size_t bytes = 0;
  cudaEvent_t copied = nullptr;  ///< the last copy out of it is done
};

/// The stream of the copies, and the buffers they come from.
class Uploads {
 public:
  Uploads() : kernels_so_far_(new_event()) {
    check_cuda(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "a stream of the GPU");
  }

  std::shared_ptr<StagingBuffer> begin(const Tensor& from, Tensor& to) {
    const std::lock_guard lock(mutex_);
    const std::shared_ptr<StagingBuffer> buffer = free_buffer(from.bytes());
    dispatch(from.dtype(), [&]<class T>(T) {
      std::memcpy(buffer->memory, from.data<T>(), from.bytes());
      // Kernels that were launched before may still use the memory that the allocator gave us.
      check_cuda(cudaEventRecord(kernels_so_far_, stream()), "upload");
      check_cuda(cudaStreamWaitEvent(stream_, kernels_so_far_, 0), "upload");
      check_cuda(cudaMemcpyAsync(to.mutable_address<T>(), buffer->memory, from.bytes(),
                                 cudaMemcpyHostToDevice, stream_),
                 "upload");
    });
    check_cuda(cudaEventRecord(buffer->copied, stream_), "upload");
    return buffer;
  }

 private:
  /// One of at least so many bytes that no copy needs any more.
  std::shared_ptr<StagingBuffer> free_buffer(size_t bytes) {
    for (const auto& buffer : buffers_)
      if (buffer.use_count() == 1 && buffer->bytes >= bytes &&
          cudaEventQuery(buffer->copied) == cudaSuccess)
        return buffer;
    cudaGetLastError();  // "not ready" is not an error
    const auto buffer = std::make_shared<StagingBuffer>();
    check_cuda(cudaMallocHost(&buffer->memory, bytes), "page-locked memory");
    buffer->bytes = bytes;
    buffer->copied = new_event();
    buffers_.push_back(buffer);
    return buffer;
  }

  std::mutex mutex_;
  cudaStream_t stream_ = nullptr;
  cudaEvent_t kernels_so_far_;
  std::vector<std::shared_ptr<StagingBuffer>> buffers_;
};

/// Never destroyed: the driver may be gone by then.
Uploads& uploads() {
  static Uploads& instance = *new Uploads;
  return instance;
}

/// One copy on its way.
struct Upload {
  explicit Upload(const Tensor& from)
      : copy(Tensor::empty(from.shape(), from.dtype(), Device::cuda)) {
    if (from.size() > 0) buffer = uploads().begin(from, copy);
  }
  Upload(const Upload&) = delete;
  /// The memory may be given to somebody else now, whose kernels must not come before the copy. A
  /// broken GPU says so again on the next call.
  ~Upload() { wait(); }

  /// From here on kernels wait for the copy.
  cudaError_t wait() {
    const auto waited = std::exchange(buffer, nullptr);
    return waited ? cudaStreamWaitEvent(stream(), waited->copied, 0) : cudaSuccess;
  }

  Tensor copy;
  std::shared_ptr<StagingBuffer> buffer;
};

}  // namespace

std::function<Tensor()> begin_upload(const Tensor& tensor) {
  check(!tensor.on_cuda(), "upload: expected a tensor on cpu, got one on cuda");
  return [upload = std::make_shared<Upload>(tensor)] {
    check_cuda(upload->wait(), "upload");
    return upload->copy;
  };
}

}  // namespace pade::cuda
