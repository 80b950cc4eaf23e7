#include <atomic>
#include <cmath>
#include <ostream>
#include <utility>

#include <pade/core/error.h>
#include <pade/core/scope.h>
#include <pade/core/tape.h>
#include <pade/core/text_stream.h>

namespace pade {
namespace {

std::atomic<uint64_t> next_generation{1};
thread_local Tape* active_tape = nullptr;
thread_local bool anomaly_enabled = false;

template <class T>
bool all_finite(const Tensor& tensor) {
  const T* values = tensor.data<T>();
  for (int64_t i = 0; i < tensor.size(); ++i)
    if (!std::isfinite(values[i])) return false;
  return true;
}

}  // namespace

Tape::Tape() : generation_(next_generation++), outer_(active_tape) { active_tape = this; }

Tape::~Tape() { active_tape = outer_; }

Tape* Tape::recording() { return active_tape && !active_tape->consumed_ ? active_tape : nullptr; }

int64_t Tape::new_value(const Tensor& tensor) {
  values_.push_back({tensor.shape(), tensor.dtype()});
  return static_cast<int64_t>(values_.size()) - 1;
}

int64_t Tape::index_of(const Tensor& tensor) {
  if (tensor.tape_generation_ == generation_) return tensor.tape_index_;
  if (!tensor.leaf_) return -1;
  if (const auto known = index_of_leaf_.find(tensor.leaf_.get()); known != index_of_leaf_.end())
    return known->second;
  const int64_t index = new_value(tensor);  // one that stays without a leaf does no harm
  leaves_.emplace_back(tensor.leaf_, index);
  index_of_leaf_.emplace(tensor.leaf_.get(), index);
  return index;
}

void Tape::append(const char* op, std::span<const Tensor* const> inputs, Tensor& output,
                  std::span<const Tensor* const> saved, BackwardFunction backward) {
  Entry entry{op, Scope::path(), {}, -1, {}, std::move(backward)};
  entry.inputs.reserve(inputs.size());
  for (const Tensor* input : inputs) entry.inputs.push_back(index_of(*input));
  entry.output = new_value(output);
  output.tape_generation_ = generation_;
  output.tape_index_ = entry.output;
  entry.saved.reserve(saved.size());
  for (const Tensor* tensor : saved)
    entry.saved.push_back({*tensor, tensor->defined() ? tensor->version() : 0});
  entries_.push_back(std::move(entry));
}

void Tape::check_saved_versions(const Entry& entry) const {
  for (const Saved& saved : entry.saved) {
    if (!saved.tensor.defined() || saved.tensor.version() == saved.version) continue;
    fail("backward of ", entry.op, ": a tensor of shape ", saved.tensor.shape(),
         " that it needs was changed in place: it was saved at version ", saved.version,
         " and is now at version ", saved.tensor.version());
  }
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
    check(!entries_.empty(), "backward: this tape has recorded nothing. Was it opened after the ",
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
  bad_alloc_as_error([&] {
    std::vector<Tensor> gradients(values_.size());
    gradients[loss_index] = Tensor::full(loss.shape(), 1, loss.dtype(), loss.device());
    replay(gradients, options.keep);
    assign_to_leaves(gradients, options.accumulate);
  });
}

void Tape::replay(std::vector<Tensor>& gradients, bool keep) {
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
    const Tensor of_output = std::exchange(gradients[entry->output], Tensor());
    if (of_output.defined()) {
      const ScopeOfPath scope(entry->path);
      check_saved_versions(*entry);
      Gradients context(*this, *entry, gradients, of_output);
      entry->backward(context);
    }
    if (keep) continue;
    entry->saved.clear();
    entry->backward = nullptr;
  }
}

void Tape::assign_to_leaves(std::vector<Tensor>& gradients, bool accumulate) {
  // A gradient that another tensor shares would change with it. All are copied before the first is
  // assigned: when there is no memory for one, no leaf has a new one.
  for (auto& [leaf, index] : leaves_) {
    Tensor& gradient = gradients[index];
    const bool assigned = gradient.defined() && !(accumulate && leaf->grad.defined());
    if (assigned && !gradient.is_only_handle()) gradient = gradient.clone();
  }
  for (auto& [leaf, index] : leaves_) {
    Tensor gradient = std::move(gradients[index]);
    if (accumulate && leaf->grad.defined()) {
      if (gradient.defined()) leaf->grad.add_(gradient);
    } else if (gradient.defined()) {
      leaf->grad = std::move(gradient);
    }
    leaf->fresh = leaf->grad.defined();
  }
}

std::string Tape::to_dot() const {
  TextStream out;
  out << "digraph tape {\n  rankdir=LR;\n  node [fontname=\"Helvetica\"];\n";
  for (const auto& [leaf, index] : leaves_)
    out << "  v" << index << " [shape=box, style=filled, fillcolor=lightblue, label=\"leaf "
        << values_[index].shape << "\"];\n";
  for (const Entry& entry : entries_) {
    out << "  v" << entry.output << " [label=\"" << entry.op << "\\n"
        << values_[entry.output].shape;
    if (!entry.path.empty()) out << "\\n" << entry.path;
    out << "\"];\n";
    for (int64_t input : entry.inputs)
      if (input >= 0) out << "  v" << input << " -> v" << entry.output << ";\n";
  }
  out << "}\n";
  return out.str();
}

std::ostream& operator<<(std::ostream& out, const Tape& tape) {
  TextStream text;
  for (const auto& [leaf, index] : tape.leaves_)
    text << '%' << index << " = leaf  " << tape.values_[index].shape << '\n';
  for (const Tape::Entry& entry : tape.entries_) {
    text << '%' << entry.output << " = " << entry.op << '(';
    const char* separator = "";
    for (int64_t input : entry.inputs) {
      text << separator;
      separator = ", ";
      if (input >= 0)
        text << '%' << input;
      else
        text << "constant";
    }
    text << ")  " << tape.values_[entry.output].shape;
    if (!entry.path.empty()) text << "  in " << entry.path;
    text << '\n';
  }
  return out << text.str();
}

NoGrad::NoGrad() : outer_(active_tape) { active_tape = nullptr; }
NoGrad::~NoGrad() { active_tape = outer_; }

Anomaly::Anomaly() : outer_(anomaly_enabled) { anomaly_enabled = true; }
Anomaly::~Anomaly() { anomaly_enabled = outer_; }
bool Anomaly::enabled() { return anomaly_enabled; }

void Anomaly::inspect(const Tensor& tensor, const char* op, const char* what) {
  if (!tensor.defined() || !is_floating(tensor.dtype())) return;
  bool finite = true;
  const Tensor on_cpu = tensor.detach().to(Device::cpu);
  dispatch_floating(tensor.dtype(), op,
                    [&](auto zero) { finite = all_finite<decltype(zero)>(on_cpu); });
  check(finite, "anomaly: the ", what, " of ", op, " (shape ", tensor.shape(),
        ") holds NaN or infinity");
}

void Gradients::set(int input, const Tensor& gradient) {
  const int64_t index = entry_.inputs[input];
  if (index < 0) return;
  const Tape::Value& expected = tape_.values_[index];
  check(gradient.defined() && gradient.shape() == expected.shape &&
            gradient.dtype() == expected.dtype,
        "backward of ", entry_.op, ": the gradient of input ", input, " must have shape ",
        expected.shape, " and dtype ", expected.dtype, ", got shape ", gradient.shape(), " and ",
        gradient.dtype());
  if (Anomaly::enabled()) Anomaly::inspect(gradient, entry_.op, "gradient");
  add(all_[index], gradient);
}

void Gradients::add(Tensor& sum, const Tensor& gradient) {
  if (!sum.defined()) {
    sum = gradient;
    return;
  }
  if (!sum.is_only_handle()) sum = sum.clone();
  sum.add_(gradient);
}

void Gradients::continue_on(Tape& tape, const Tensor& output, std::span<const Tensor> leaves) {
  const int64_t output_index = tape.index_of(output);
  if (output_index < 0) return;
  std::vector<int64_t> there(leaves.size(), -1);
  for (size_t i = 0; i < leaves.size(); ++i)
    if (entry_.inputs[i] >= 0 && leaves[i].defined()) there[i] = tape.index_of(leaves[i]);

  std::vector<Tensor> gradients(tape.values_.size());
  for (size_t i = 0; i < there.size(); ++i)  // an input that is there twice gives its sum once
    if (there[i] >= 0 && !gradients[there[i]].defined())
      gradients[there[i]] = std::move(all_[entry_.inputs[i]]);
  add(gradients[output_index], of_output_);
  const NoGrad no_grad;
  tape.consumed_ = true;
  tape.replay(gradients, false);
  for (size_t i = 0; i < there.size(); ++i)
    if (there[i] >= 0 && gradients[there[i]].defined())
      all_[entry_.inputs[i]] = std::move(gradients[there[i]]);
}

}  // namespace pade
