#include <dlfcn.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <pade/core/distributed/nccl.h>
#include <pade/core/error.h>
#include <pade/core/kernels/cuda/event.cuh>
#include <pade/core/kernels/cuda/kernel.cuh>

/// NCCL is opened at run time, as cuBLAS is: programs start where it is not installed, and no
/// header of its own is used.
namespace pade::cuda {
namespace {

#ifdef PADE_CUDA_EMULATED
constexpr const char* kLibrary = nullptr;  // the program itself has the functions
#else
constexpr const char* kLibrary = "libnccl.so.2";
#endif

using Result = int;  // 0 is success
using Comm = void*;
struct UniqueId {
  char bytes[128];
};
enum DataType : int { kFloat32 = 7, kFloat64 = 8 };
constexpr int kSum = 0;

struct Functions {
  Result (*get_unique_id)(UniqueId*) = nullptr;
  Result (*init_rank)(Comm*, int ranks, UniqueId, int rank) = nullptr;
  Result (*all_reduce)(const void* from, void* to, size_t count, DataType, int operation, Comm,
                       cudaStream_t) = nullptr;
  Result (*broadcast)(const void* from, void* to, size_t count, DataType, int root, Comm,
                      cudaStream_t) = nullptr;
  Result (*get_version)(int*) = nullptr;
  const char* (*get_error_string)(Result) = nullptr;

  /// Empty, or why there are none.
  std::string open() {
    void* const library = dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
    if (!library) return dlerror();
    std::string missing;
    const auto find = [&]<class F>(F*& function, const char* name) {
      function = reinterpret_cast<F*>(dlsym(library, name));
      if (!function) missing += std::string(missing.empty() ? "it lacks " : ", ") + name;
    };
    find(get_unique_id, "ncclGetUniqueId");
    find(init_rank, "ncclCommInitRank");
    find(all_reduce, "ncclAllReduce");
    find(broadcast, "ncclBroadcast");
    find(get_version, "ncclGetVersion");
    find(get_error_string, "ncclGetErrorString");
    return missing;
  }
};

DataType type_of(const Tensor& tensor) {
  check(is_floating(tensor.dtype()), "a Communicator takes float32 and float64, got ",
        tensor.dtype());
  return tensor.dtype() == DType::float32 ? kFloat32 : kFloat64;
}

/// NCCL's ranks and a stream for their messages. Nothing is destroyed: at the end of the program
/// the driver may be gone before.
class Nccl {
 public:
  Nccl(const Functions& functions, Communicator& host) : nccl_(functions) {
    UniqueId id{};
    if (host.rank() == 0) check_nccl(nccl_.get_unique_id(&id), "an id");
    const std::string of_first = host.all_gather(std::string(id.bytes, sizeof id.bytes))[0];
    std::memcpy(id.bytes, of_first.data(), sizeof id.bytes);
    check_nccl(nccl_.init_rank(&comm_, host.size(), id, host.rank()), "joining the ranks");
    check_cuda(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "a stream of the GPU");
    before_ = new_event();
  }

  std::string version() const {
    int version = 0;  // 2.28.9 is 22809
    nccl_.get_version(&version);
    return "NCCL " + std::to_string(version / 10000) + "." + std::to_string(version / 100 % 100);
  }

  /// Sends after the kernels that were launched before, and returns what says that it is done.
  cudaEvent_t all_reduce(Tensor& values) {
    return send(values, [&](void* place, size_t count, DataType type) {
      return nccl_.all_reduce(place, place, count, type, kSum, comm_, stream_);
    });
  }
  cudaEvent_t broadcast(Tensor& values) {
    return send(values, [&](void* place, size_t count, DataType type) {
      return nccl_.broadcast(place, place, count, type, 0, comm_, stream_);
    });
  }
  void give_back(cudaEvent_t event) { free_events_.push_back(event); }

 private:
  cudaEvent_t send(Tensor& values, auto&& operation) {
    const DataType type = type_of(values);
    void* const place = type == kFloat32 ? static_cast<void*>(values.mutable_address<float>())
                                         : values.mutable_address<double>();
    check_cuda(cudaEventRecord(before_, stream()), "NCCL");
    check_cuda(cudaStreamWaitEvent(stream_, before_, 0), "NCCL");
    check_nccl(operation(place, static_cast<size_t>(values.size()), type), "a message");
    cudaEvent_t done = nullptr;
    if (free_events_.empty()) {
      done = new_event();
    } else {
      done = free_events_.back();
      free_events_.pop_back();
    }
    check_cuda(cudaEventRecord(done, stream_), "NCCL");
    return done;
  }

  void check_nccl(Result result, const char* what) const {
    check(result == 0, "NCCL: ", what, ": ", nccl_.get_error_string(result));
  }

  const Functions nccl_;
  Comm comm_ = nullptr;
  cudaStream_t stream_ = nullptr;
  cudaEvent_t before_ = nullptr;
  std::vector<cudaEvent_t> free_events_;
};

class WithNccl : public Communicator {
 public:
  explicit WithNccl(std::unique_ptr<Communicator> host)
      : Communicator(host->rank(), host->size()), host_(std::move(host)) {}

  std::string description() const override {
    return host_->description() + (nccl_ ? ", " + nccl_->version() : "");
  }

  std::unique_ptr<Pending> begin_all_reduce(Tensor values) override {
    Nccl* const nccl = values.on_cuda() && values.size() > 0 ? open() : nullptr;
    if (!nccl) return host_->begin_all_reduce(std::move(values));
    return std::make_unique<Message>(*nccl, values, nccl->all_reduce(values));
  }

  void broadcast(Tensor values) override {
    Nccl* const nccl = values.on_cuda() && values.size() > 0 ? open() : nullptr;
    if (!nccl) return host_->broadcast(std::move(values));
    Message(*nccl, values, nccl->broadcast(values)).wait();
  }

  std::vector<std::string> all_gather(const std::string& text) override {
    return host_->all_gather(text);
  }
  [[noreturn]] void abort(int exit_code) override {
    for (;;) host_->abort(exit_code);  // nvcc does not see that this does not return
  }

 private:
  /// One on its way, in the memory of `values`.
  class Message : public Pending {
   public:
    Message(Nccl& nccl, Tensor values, cudaEvent_t done)
        : nccl_(nccl), values_(std::move(values)), done_(done) {}
    ~Message() override {
      // The memory may be given to somebody else now, whose kernels must not come before.
      if (done_ && cudaStreamWaitEvent(stream(), done_, 0) == cudaSuccess) nccl_.give_back(done_);
    }
    /// From here on kernels wait for the message, and nobody else does.
    void wait() override {
      check_cuda(cudaStreamWaitEvent(stream(), done_, 0), "NCCL");
      nccl_.give_back(std::exchange(done_, nullptr));
    }

   private:
    Nccl& nccl_;
    Tensor values_;
    cudaEvent_t done_;
  };

  /// Null where the host's way is to be taken. All ranks ask for the first time together.
  Nccl* open() {
    if (tried_) return nccl_.get();
    tried_ = true;
    const char* asked = std::getenv("PADE_NCCL");
    const std::string wish = asked ? asked : "AUTO";
    check(wish == "AUTO" || wish == "ON" || wish == "OFF",
          "PADE_NCCL: expected AUTO, ON or OFF, got \"", wish, "\"");
    if (wish == "OFF") return nullptr;
    Functions functions;
    std::string problem = functions.open();
    const std::vector<std::string> problems = host_->all_gather(problem);
    for (size_t r = 0; r < problems.size(); ++r) {
      if (problems[r].empty()) continue;
      check(wish != "ON", "PADE_NCCL is ON, but rank ", r, " has no NCCL: ", problems[r]);
      return nullptr;
    }
    nccl_ = std::make_unique<Nccl>(functions, *host_);
    return nccl_.get();
  }

  std::unique_ptr<Communicator> host_;
  std::unique_ptr<Nccl> nccl_;
  bool tried_ = false;
};

}  // namespace

std::unique_ptr<Communicator> with_nccl(std::unique_ptr<Communicator> host) {
  return std::make_unique<WithNccl>(std::move(host));
}

}  // namespace pade::cuda
