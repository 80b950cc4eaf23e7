#include <algorithm>
#include <atomic>
#include <utility>

#include <pade/core/distributed/gradient_observer.h>
#include <pade/core/error.h>
#include <pade/core/scope.h>
#include <pade/core/tape.h>

namespace pade {
namespace {

std::atomic<uint64_t> next_generation{1};
thread_local Tape* active_tape = nullptr;

void add(Tensor& sum, const Tensor& gradient) {
  if (!sum.defined()) {
    sum = gradient;
    return;
  }
  if (!sum.is_only_handle()) sum = sum.clone();
  sum.add_(gradient);
}

}  // namespace

Tape::Tape() : generation_(next_generation++), outer_(active_tape) { active_tape = this; }

Tape::~Tape() { active_tape = outer_; }

Tape* Tape::recording() { return active_tape && !active_tape->consumed_ ? active_tape : nullptr; }

int64_t Tape::index_of(const Tensor& tensor) {
  if (tensor.tape_generation_ == generation_) return tensor.tape_index_;
  if (!tensor.leaf_) return -1;
  if (const auto known = leaves_.find(tensor.leaf_); known != leaves_.end()) return known->second;
  nodes_.push_back({"leaf", tensor.shape(), tensor.dtype()});
  nodes_.back().leaf = tensor.leaf_.get();
  const int64_t index = static_cast<int64_t>(nodes_.size()) - 1;
  leaves_.emplace(tensor.leaf_, index);
  return index;
}

void Tape::append(const char* op, std::span<const Tensor* const> inputs, Tensor& output,
                  std::span<const Tensor* const> saved, BackwardFunction backward) {
  Node node{op, output.shape(), output.dtype(), Scope::path()};
  node.inputs.reserve(inputs.size());
  for (const Tensor* input : inputs) node.inputs.push_back(index_of(*input));
  node.saved.reserve(saved.size());
  for (const Tensor* tensor : saved)
    node.saved.push_back({*tensor, tensor->defined() ? tensor->version() : 0});
  node.backward = std::move(backward);
  nodes_.push_back(std::move(node));
  output.tape_generation_ = generation_;
  output.tape_index_ = static_cast<int64_t>(nodes_.size()) - 1;
}

void Tape::backward(const Tensor& loss, BackwardOptions options) {
  check(!consumed_,
        "backward: this tape was already consumed by backward(). Every backward() wants ",
        "a tape of its own: put `Tape tape;` inside of the loop, above the forward pass, or keep ",
        "the tape by backward(loss, {.keep = true})");
  check(loss.defined(), "backward: the loss is an undefined tensor");
  check(loss.size() == 1, "backward: expected a loss with one element, got shape ", loss.shape(),
        "; take its mean() or sum()");
  const int64_t loss_index = index_of(loss);
  if (loss_index < 0) {
    check(loss.tape_generation_ == 0, "backward: the loss was recorded on another tape than this ",
          "one; call backward() of the tape that was opened last before the forward pass");
    check(size() > 0, "backward: this tape has recorded nothing. Was it opened after the ",
          "forward pass, or did that run under NoGrad? Put `Tape tape;` above the line that ",
          "computes the loss. Or does no tensor in it require a gradient?");
    fail("backward: the loss does not depend on any tensor that requires a gradient. Was it ",
         "computed before this tape was opened, under NoGrad, or from a detach()ed tensor or the ",
         "result of an op without a gradient, such as argmax?");
  }
  const NoGrad no_grad;
  consumed_ = !options.keep;
  if (!options.accumulate)  // their memory can serve the new ones
    for (auto& [leaf, index] : leaves_) *leaf = Leaf{};
  for (Node& node : nodes_) node.gradient = Tensor();  // of a pass that failed
  bad_alloc_as_error([&] {
    nodes_[loss_index].gradient = Tensor::full(loss.shape(), 1, loss.dtype(), loss.device());
    replay(options.keep, options.observer);
    assign_to_leaves(options.accumulate);
  });
}

void Tape::replay(bool keep, GradientObserver* observer) {
  for (auto node = nodes_.rbegin(); node != nodes_.rend(); ++node) {
    if (node->leaf) {  // it was used by none of the ops before
      if (observer && node->gradient.defined()) observer->ready(*node->leaf, node->gradient);
      continue;
    }
    const Tensor of_output = std::exchange(node->gradient, Tensor());
    if (of_output.defined()) {
      const ScopeOfPath scope(node->path);
      for (const auto& [saved, version] : node->saved)
        if (saved.defined() && saved.version() != version)
          fail("backward of ", node->op, ": a tensor of shape ", saved.shape(),
               " that it needs was changed in place: it was saved at version ", version,
               " and is now at version ", saved.version());
      Gradients gradients(*this, *node, of_output);
      node->backward(gradients);
    }
    if (keep) continue;
    node->saved.clear();
    node->backward = nullptr;
  }
  if (observer) observer->finish();
}

void Tape::assign_to_leaves(bool accumulate) {
  const auto adds = [&](const Leaf& leaf) { return accumulate && leaf.grad.defined(); };
  // A gradient that another tensor shares would change with it. All are copied before the first is
  // assigned: when there is no memory for one, no leaf has a new one.
  for (const auto& [leaf, index] : leaves_) {
    Tensor& gradient = nodes_[index].gradient;
    if (gradient.defined() && !adds(*leaf) && !gradient.is_only_handle())
      gradient = gradient.clone();
  }
  for (const auto& [leaf, index] : leaves_) {
    Tensor gradient = std::move(nodes_[index].gradient);
    if (gradient.defined() && adds(*leaf))
      leaf->grad.add_(gradient);
    else if (gradient.defined())
      leaf->grad = std::move(gradient);
    leaf->fresh = leaf->grad.defined();
  }
}

void Gradients::set(int input, const Tensor& gradient) {
  if (!needs(input)) return;
  Tape::Node& to = tape_.nodes_[node_.inputs[input]];
  check(gradient.defined() && gradient.shape() == to.shape && gradient.dtype() == to.dtype,
        "backward of ", node_.op, ": the gradient of input ", input, " must have shape ", to.shape,
        " and dtype ", to.dtype, ", got shape ", gradient.shape(), " and ", gradient.dtype());
  if (Anomaly::enabled()) Anomaly::inspect(gradient, node_.op, "gradient");
  add(to.gradient, gradient);
}

void Gradients::continue_on(Tape& tape, const Tensor& output, std::span<const Tensor> leaves) {
  const int64_t output_index = tape.index_of(output);
  if (output_index < 0) return;
  std::vector<std::pair<int64_t, int64_t>> pairs;  // numbers of one input, here and there
  for (size_t i = 0; i < leaves.size(); ++i)
    if (const int64_t here = node_.inputs[i]; here >= 0 && leaves[i].defined())
      if (const int64_t there = tape.index_of(leaves[i]); there >= 0)
        pairs.emplace_back(here, there);

  for (const auto& [here, there] : pairs)  // an input that is there twice gives its sum once
    if (Tensor& sum = tape.nodes_[there].gradient; !sum.defined())
      sum = std::move(tape_.nodes_[here].gradient);
  add(tape.nodes_[output_index].gradient, of_output_);
  const NoGrad no_grad;
  tape.consumed_ = true;
  tape.replay(false);
  for (const auto& [here, there] : pairs)
    if (Tensor& sum = tape.nodes_[there].gradient; sum.defined())
      tape_.nodes_[here].gradient = std::move(sum);
}

}  // namespace pade
