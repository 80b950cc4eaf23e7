#include <chrono>
#include <sstream>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <pade/core/distributed/gradient_observer.h>
#include <pade/core/error.h>
#include <pade/core/ops/arithmetic.h>
#include <pade/core/text_stream.h>
#include <pade/layers/data_parallel.h>

namespace pade {
namespace {

/// From this bit on, a counter of random numbers says which rank draws them.
constexpr int kRankShift = 48;

struct FloatingBuffers : ModuleVisitor {
  std::vector<Tensor> tensors;

  explicit FloatingBuffers(Module& network) { network.visit(*this); }
  void buffer(const std::string&, Tensor& tensor) override {
    if (tensor.defined() && is_floating(tensor.dtype())) tensors.push_back(tensor);
  }
  void child(const std::string&, Module& module, const ModuleSlot&) override {
    module.visit(*this);
  }
};

/// A line per tensor: `conv1.weight [6, 1, 5, 5] float32`.
std::string listing_of(Module& network) {
  TextStream text;
  for (const auto& [name, tensor] : network.state())
    text << name << ' ' << tensor.shape() << ' ' << tensor.dtype() << '\n';
  return text.str();
}

/// The first line of `listing` that differs from the other's.
std::string first_difference(const std::string& listing, const std::string& other) {
  std::istringstream lines(listing), others(other);
  for (std::string line, here; std::getline(lines, line);)
    if (!std::getline(others, here) || here != line) return line;
  return "the end";
}

void check_same_network(Module& network, Communicator& ranks) {
  const std::vector<std::string> listings = ranks.all_gather(listing_of(network));
  for (size_t r = 1; r < listings.size(); ++r)
    check(listings[r] == listings[0], "DataParallel: the network of rank ", r, " has ",
          first_difference(listings[r], listings[0]), " where that of rank 0 has ",
          first_difference(listings[0], listings[r]));
}

}  // namespace

/// The gradients of all parameters in a few tensors, one behind the other: the last parameters
/// first, as backward() makes them ready. The buckets are sent in their order, which is the same on
/// all ranks, whatever the order is in which they fill.
class DataParallel::Buckets : public GradientObserver {
 public:
  Buckets(Module& network, Communicator& ranks, DataParallelOptions options)
      : network_(network), ranks_(ranks), options_(options) {
    check(options.bucket_bytes >= 1, "DataParallel: bucket_bytes is ", options.bucket_bytes,
          ", expected at least 1");
    check_same_network(network, ranks);
    const std::vector<Parameter> parameters = network.parameters();
    for (auto parameter = parameters.rbegin(); parameter != parameters.rend(); ++parameter)
      places_[Tape::leaf_of(parameter->tensor)] = place(gradients_, parameter->tensor);
    for (const Tensor& buffer : FloatingBuffers(network).tensors) place(averages_, buffer);
    for (std::vector<Bucket>* buckets : {&gradients_, &averages_})
      for (Bucket& bucket : *buckets)
        bucket.values = Tensor::empty({bucket.size}, bucket.dtype(), bucket.device());
    counts_ = Tensor::zeros({std::ssize(parameters) + 1});
    synchronise();
  }

  Communicator& ranks() const { return ranks_; }
  void say(bool flag) { said_ = flag; }
  bool anyone_said() const { return anyone_said_; }
  double seconds_waited() const { return seconds_waited_; }

  void synchronise() {
    for (const auto& [name, tensor] : network_.state())
      if (is_floating(tensor.dtype())) ranks_.broadcast(tensor);
    for (const auto& [name, rng] : network_.generators()) {
      const uint64_t drawn = rng->counter() % (uint64_t{1} << kRankShift);
      const Tensor counter = Tensor::scalar(static_cast<double>(drawn), DType::float64);
      ranks_.broadcast(counter);
      rng->set_counter(static_cast<uint64_t>(counter.item()) +
                       (static_cast<uint64_t>(ranks_.rank()) << kRankShift));
    }
  }

  void backward(Tape& tape, const Tensor& loss, const BatchPart& part) {
    const bool alone = ranks_.size() == 1;
    part_ = part;
    if (part.last && !alone) begin();
    tape.backward(part.share == 1 ? loss : loss * part.share,
                  {.accumulate = !part.first, .observer = alone ? nullptr : this});
    if (part.last && alone) anyone_said_ = said_;
  }

  void ready(Leaf& leaf, Tensor& gradient) override {
    const auto place = places_.find(&leaf);
    if (!part_.last || place == places_.end()) return;
    Bucket& bucket = gradients_[place->second.first];
    Entry& entry = bucket.entries[place->second.second];
    Tensor slot = bucket.slot(entry);
    slot.copy_(gradient);
    if (!part_.first && leaf.grad.defined()) {  // of the parts before
      slot.add_(leaf.grad);
      leaf.grad = Tensor();
    }
    entry.gradient = &gradient;
    ++bucket.ready;
    if (options_.overlap) send_full_buckets();
  }

  void finish() override {
    if (!part_.last) return;
    const auto start = std::chrono::steady_clock::now();
    float* counts = counts_.mutable_data<float>();
    *counts = said_ ? 1 : 0;
    for (Bucket& bucket : gradients_)
      for (Entry& entry : bucket.entries) *++counts = fill(bucket, entry) ? 1 : 0;
    send_full_buckets();
    ranks_.all_reduce(counts_);
    for (std::vector<Bucket>* buckets : {&gradients_, &averages_})
      for (Bucket& bucket : *buckets) std::exchange(bucket.pending, nullptr)->wait();
    seconds_waited_ +=
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    take_results();
  }

 private:
  struct Entry {
    Tensor tensor;               // a parameter, or a buffer
    int64_t begin;               // of its values in the bucket
    Tensor* gradient = nullptr;  // on the tape of this backward pass
  };

  struct Bucket {
    std::vector<Entry> entries;
    int64_t size = 0;
    Tensor values;
    int64_t ready = 0;  // entries of this backward pass
    std::unique_ptr<Communicator::Pending> pending;

    DType dtype() const { return entries[0].tensor.dtype(); }
    Device device() const { return entries[0].tensor.device(); }
    int64_t bytes() const { return size * static_cast<int64_t>(size_of(dtype())); }
    bool is_full() const { return ready == std::ssize(entries); }
    Tensor slot(const Entry& entry) const {
      return values.slice(entry.begin, entry.begin + entry.tensor.size())
          .reshape(entry.tensor.shape());
    }
  };

  using Place = std::pair<size_t, size_t>;  // numbers of a bucket and of an entry in it

  Place place(std::vector<Bucket>& buckets, const Tensor& tensor) {
    if (buckets.empty() || buckets.back().bytes() >= options_.bucket_bytes ||
        buckets.back().dtype() != tensor.dtype() || buckets.back().device() != tensor.device())
      buckets.emplace_back();
    Bucket& bucket = buckets.back();
    bucket.entries.push_back({tensor, bucket.size});
    bucket.size += tensor.size();
    return {buckets.size() - 1, bucket.entries.size() - 1};
  }

  /// Buffers have changed in the forward pass, and are sent first.
  void begin() {
    next_ = 0;
    for (Bucket& bucket : gradients_) {
      bucket.ready = 0;
      for (Entry& entry : bucket.entries) entry.gradient = nullptr;
    }
    for (Bucket& bucket : averages_) {
      for (const Entry& entry : bucket.entries) bucket.slot(entry).copy_(entry.tensor);
      bucket.pending = ranks_.begin_all_reduce(bucket.values);
    }
  }

  void send_full_buckets() {
    for (; next_ < gradients_.size() && gradients_[next_].is_full(); ++next_)
      gradients_[next_].pending = ranks_.begin_all_reduce(gradients_[next_].values);
  }

  /// What ready() has not filled: returns whether the parameter has a gradient on this rank.
  bool fill(Bucket& bucket, const Entry& entry) const {
    if (entry.gradient) return true;
    ++bucket.ready;
    const bool earlier = !part_.first && entry.tensor.has_fresh_grad();
    Tensor slot = bucket.slot(entry);
    if (earlier)
      slot.copy_(entry.tensor.grad());
    else
      slot.fill_(0);
    return earlier;
  }

  /// A parameter that has no gradient on any rank keeps none.
  void take_results() {
    const float* counts = counts_.data<float>();
    anyone_said_ = *counts > 0;
    for (Bucket& bucket : gradients_)
      for (Entry& entry : bucket.entries) {
        if (*++counts == 0) continue;
        if (!entry.gradient)
          entry.tensor.set_grad(bucket.slot(entry).clone());
        else if (entry.gradient->is_only_handle())
          entry.gradient->copy_(bucket.slot(entry));
        else
          *entry.gradient = bucket.slot(entry).clone();
      }
    for (Bucket& bucket : averages_) {
      bucket.values.mul_(1.0 / ranks_.size());
      for (Entry& entry : bucket.entries) entry.tensor.copy_(bucket.slot(entry));
    }
  }

  Module& network_;
  Communicator& ranks_;
  const DataParallelOptions options_;
  std::vector<Bucket> gradients_, averages_;
  std::unordered_map<const Leaf*, Place> places_;
  size_t next_ = 0;  // bucket to send
  Tensor counts_;    // of the ranks with the flag, and with a gradient of each parameter
  BatchPart part_;
  bool said_ = false, anyone_said_ = false;
  double seconds_waited_ = 0;
};

DataParallel::DataParallel(Module& network, Communicator& ranks, DataParallelOptions options)
    : buckets_(std::make_unique<Buckets>(network, ranks, options)) {}

DataParallel::~DataParallel() = default;

Communicator& DataParallel::ranks() const { return buckets_->ranks(); }
void DataParallel::synchronise() { buckets_->synchronise(); }
void DataParallel::say(bool flag) { buckets_->say(flag); }
bool DataParallel::anyone_said() const { return buckets_->anyone_said(); }
double DataParallel::seconds_waited() const { return buckets_->seconds_waited(); }

void DataParallel::backward(Tape& tape, const Tensor& loss, const BatchPart& part) {
  buckets_->backward(tape, loss, part);
}

}  // namespace pade
