#include <pade/core/distributed/mpi.h>

#if !PADE_HAS_MPI

namespace pade {

std::unique_ptr<Communicator> make_mpi_communicator() { return nullptr; }

}  // namespace pade

#else

#include <mpi.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <numeric>
#include <thread>
#include <utility>

#include <pade/core/dtype.h>

namespace pade {
namespace {

/// A count of MPI's is an int: what is larger goes in pieces of so many elements.
constexpr int64_t kMostElements = int64_t{1} << 26;
/// Between two looks at an operation that others have not done their part of. MPI's own waiting
/// takes a processor, which the threads that compute need.
constexpr std::chrono::microseconds kPause{20};

template <class T>
MPI_Datatype type_of();
template <>
MPI_Datatype type_of<float>() {
  return MPI_FLOAT;
}
template <>
MPI_Datatype type_of<double>() {
  return MPI_DOUBLE;
}

/// MPI is called by one thread of its own only, in the order of the calls here: operations go on
/// while the caller computes.
class MpiCommunicator : public Communicator {
 public:
  static std::unique_ptr<Communicator> make() {
    auto thread = std::make_unique<Thread>();
    int rank = 0, size = 1;
    thread->run([&] {
      int provided = 0;
      MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided);
      MPI_Comm_rank(MPI_COMM_WORLD, &rank);
      MPI_Comm_size(MPI_COMM_WORLD, &size);
    });
    return std::unique_ptr<Communicator>(new MpiCommunicator(rank, size, std::move(thread)));
  }

  ~MpiCommunicator() override {
    thread_->run([] { MPI_Finalize(); });
  }

  std::string description() const override {
    char text[MPI_MAX_LIBRARY_VERSION_STRING];
    int length = 0;
    MPI_Get_library_version(text, &length);  // may be called by any thread
    const std::string version(text, static_cast<size_t>(length));
    return version.substr(0, version.find_first_of(",\n"));
  }

  std::unique_ptr<Pending> begin_all_reduce(Tensor values) override {
    return std::make_unique<Reduction>(*this, std::move(values));
  }

  void broadcast(Tensor values) override {
    Tensor here = values.detach().to(Device::cpu);
    dispatch_floating(values.dtype(), "broadcast", [&](auto zero) {
      using T = decltype(zero);
      T* first = here.mutable_data<T>();
      const int64_t size = here.size();
      thread_->run([this, first, size] {
        for (int64_t i = 0; i < size; i += kMostElements) {
          MPI_Request request;
          MPI_Ibcast(first + i, static_cast<int>(std::min(kMostElements, size - i)), type_of<T>(),
                     0, MPI_COMM_WORLD, &request);
          finish(request);
        }
      });
    });
    if (!here.shares_storage_with(values)) values.copy_(here);
  }

  std::vector<std::string> all_gather(const std::string& text) override {
    const auto ranks = static_cast<size_t>(size());
    std::vector<int> lengths(ranks), begins(ranks);
    std::string all;
    thread_->run([&] {
      const int length = static_cast<int>(text.size());
      MPI_Request request;
      MPI_Iallgather(&length, 1, MPI_INT, lengths.data(), 1, MPI_INT, MPI_COMM_WORLD, &request);
      finish(request);
      std::exclusive_scan(lengths.begin(), lengths.end(), begins.begin(), 0);
      all.resize(static_cast<size_t>(begins.back() + lengths.back()));
      MPI_Iallgatherv(text.data(), length, MPI_CHAR, all.data(), lengths.data(), begins.data(),
                      MPI_CHAR, MPI_COMM_WORLD, &request);
      finish(request);
    });
    std::vector<std::string> texts;
    for (size_t i = 0; i < ranks; ++i)
      texts.push_back(all.substr(static_cast<size_t>(begins[i]), static_cast<size_t>(lengths[i])));
    return texts;
  }

  [[noreturn]] void abort(int exit_code) override {
    abort_code_ = exit_code;
    thread_->begin([exit_code] { MPI_Abort(MPI_COMM_WORLD, exit_code); });
    for (;;) std::this_thread::sleep_for(std::chrono::seconds(1));  // until it has ended us
  }

 private:
  /// Runs jobs one after the other.
  class Thread {
   public:
    Thread() : thread_([this](const std::stop_token& stop) { work(stop); }) {}

    std::future<void> begin(std::function<void()> job) {
      std::packaged_task<void()> task(std::move(job));
      std::future<void> done = task.get_future();
      {
        const std::lock_guard lock(mutex_);
        jobs_.push_back(std::move(task));
      }
      changed_.notify_one();
      return done;
    }
    void run(std::function<void()> job) { begin(std::move(job)).get(); }

   private:
    void work(const std::stop_token& stop) {
      for (;;) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, stop, [this] { return !jobs_.empty(); });
        if (jobs_.empty()) return;
        std::packaged_task<void()> job = std::move(jobs_.front());
        jobs_.pop_front();
        lock.unlock();
        job();
      }
    }

    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::deque<std::packaged_task<void()>> jobs_;
    std::jthread thread_;  // the last member, so that it ends before what it uses
  };

  /// The thread keeps the memory, too, until it is done with it: after an error nobody may wait.
  class Reduction : public Pending {
   public:
    Reduction(MpiCommunicator& ranks, Tensor values)
        : values_(std::move(values)), here_(values_.detach().to(Device::cpu)) {
      done_ = dispatch_floating(values_.dtype(), "all_reduce", [&](auto zero) {
        using T = decltype(zero);
        return ranks.thread_->begin([&ranks, here = here_, first = here_.mutable_data<T>()] {
          for (int64_t i = 0; i < here.size(); i += kMostElements)
            ranks.sum(first + i, std::min(kMostElements, here.size() - i));
        });
      });
    }
    void wait() override {
      done_.get();
      if (!here_.shares_storage_with(values_)) values_.copy_(here_);
    }

   private:
    Tensor values_, here_;
    std::future<void> done_;
  };

  MpiCommunicator(int rank, int size, std::unique_ptr<Thread> thread)
      : Communicator(rank, size), thread_(std::move(thread)) {}

  /// Waits for an operation of this thread.
  void finish(MPI_Request& request) const {
    for (;;) {
      int done = 0;
      MPI_Test(&request, &done, MPI_STATUS_IGNORE);
      if (done) return;
      if (const int code = abort_code_) MPI_Abort(MPI_COMM_WORLD, code);
      std::this_thread::sleep_for(kPause);
    }
  }

  /// Each rank adds up a part, which it gets from all others, in the order of the ranks; then all
  /// get all parts. As much is sent as in any other way, 2 · (N − 1) / N of the values, and the
  /// order of the additions does not depend on what MPI chooses for a message of this length.
  template <class T>
  void sum(T* values, int64_t count) {
    const int ranks = size();
    std::vector<int> counts(static_cast<size_t>(ranks)), begins(counts);
    for (int r = 0; r < ranks; ++r) {
      begins[r] = static_cast<int>(count * r / ranks);
      counts[r] = static_cast<int>(count * (r + 1) / ranks) - begins[r];
    }
    const int mine = counts[rank()];
    std::vector<int> received(counts.size(), mine), places(counts.size());
    for (int r = 0; r < ranks; ++r) places[r] = r * mine;
    std::vector<T> parts(static_cast<size_t>(mine) * ranks);
    MPI_Request request;
    MPI_Ialltoallv(values, counts.data(), begins.data(), type_of<T>(), parts.data(),
                   received.data(), places.data(), type_of<T>(), MPI_COMM_WORLD, &request);
    finish(request);
    T* sums = values + begins[rank()];
    for (int i = 0; i < mine; ++i) {
      double sum = 0;
      for (int r = 0; r < ranks; ++r) sum += parts[static_cast<size_t>(r) * mine + i];
      sums[i] = static_cast<T>(sum);
    }
    MPI_Iallgatherv(MPI_IN_PLACE, 0, type_of<T>(), values, counts.data(), begins.data(),
                    type_of<T>(), MPI_COMM_WORLD, &request);
    finish(request);
  }

  std::atomic<int> abort_code_ = 0;
  std::unique_ptr<Thread> thread_;
};

}  // namespace

std::unique_ptr<Communicator> make_mpi_communicator() { return MpiCommunicator::make(); }

}  // namespace pade

#endif
