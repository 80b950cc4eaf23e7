#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <iosfwd>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <pade/core/anomaly.h>
#include <pade/core/error.h>
#include <pade/core/tensor.h>

namespace pade {

class GradientObserver;
class Gradients;
/// An op's derivative: given the gradient of the output, sets the gradients of the inputs.
using BackwardFunction = std::function<void(Gradients&)>;

struct BackwardOptions {
  bool keep = false;  ///< keep the tape, so that backward() can run on it again
  /// Add to the leaves' gradients instead of assigning them. The first of several backward passes
  /// must assign: what an optimiser has used is still there.
  bool accumulate = false;
  GradientObserver* observer = nullptr;  ///< see there
};

/// A scoped list of what was computed, in order, replayed backwards to get gradients:
///
///   Tape tape;                        // records from here to the end of the scope
///   Tensor loss = cross_entropy(network(images), labels);
///   tape.backward(loss);              // assigns weight.grad() of every leaf that was used
///
/// Only ops with an input that needs a gradient are recorded. The order of recording is a
/// topological order, so nothing is sorted and nothing recurses. Tensors hold (generation, index)
/// and never a pointer to their tape: keeping a loss does not keep what led to it.
///
/// Tapes nest: the innermost records, and takes the results of outer tapes for constants. So are
/// results of a tape that is gone. A Tape belongs to the thread that made it.
class Tape {
 public:
  Tape();
  ~Tape();
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  /// Gradients of `loss` (one element) with respect to every leaf it depends on. Saved tensors are
  /// dropped as soon as they have been used. Throws Error when the tape was consumed by an earlier
  /// call, when `loss` is not on it, and when a saved tensor was changed in place since. Where a
  /// backward pass fails on its way, as for lack of memory, the tape is consumed, and leaves have
  /// no gradient or, when accumulating, the one that they had.
  void backward(const Tensor& loss, BackwardOptions options = {});

  /// The number of ops recorded.
  int64_t size() const { return static_cast<int64_t>(nodes_.size() - leaves_.size()); }
  /// One line per node: `%3 = exp(%1)  [2, 3]  in features.0`.
  friend std::ostream& operator<<(std::ostream& out, const Tape& tape);
  /// The nodes as a graph in Graphviz' language.
  std::string to_dot() const;

  /// A leaf, which has no inputs, or the result of an op.
  struct Node {
    const char* op;
    Shape shape;
    DType dtype;
    std::string path;                                // of the module that was being called
    std::vector<int64_t> inputs;                     // numbers of nodes; −1: needs no gradient
    std::vector<std::pair<Tensor, uint32_t>> saved;  // with the versions that they had
    BackwardFunction backward;
    Tensor gradient;  // the sum of those that have arrived in this backward pass
    Leaf* leaf = nullptr;
  };
  /// In the order of recording, which is what index_of() counts.
  const std::vector<Node>& nodes() const { return nodes_; }

  /// What all handles of a leaf share; null where the tensor is not a leaf.
  static const Leaf* leaf_of(const Tensor& tensor) { return tensor.leaf_.get(); }

  /// The innermost tape of this thread that is recording now; null when there is none.
  static Tape* recording();

  /// The number of the tensor's node; −1 when no gradient flows to it. Leaves get one when they are
  /// first used.
  int64_t index_of(const Tensor& tensor);
  /// Gives `output` a node.
  void append(const char* op, std::span<const Tensor* const> inputs, Tensor& output,
              std::span<const Tensor* const> saved, BackwardFunction backward);

 private:
  friend class NoGrad;
  friend class Gradients;

  /// Runs the derivatives, last op first, from the gradients that some nodes have to those of the
  /// leaves.
  void replay(bool keep, GradientObserver* observer = nullptr);
  void assign_to_leaves(bool accumulate);

  uint64_t generation_;  // unlike any other tape's of the program
  Tape* outer_;
  bool consumed_ = false;
  std::vector<Node> nodes_;
  std::unordered_map<std::shared_ptr<Leaf>, int64_t> leaves_;  // and the numbers of their nodes
};

/// Nothing is recorded while one of these is in scope (except by a Tape opened inside).
class NoGrad {
 public:
  NoGrad() { tape_.consumed_ = true; }

 private:
  Tape tape_;  // the innermost, and records nothing
};

/// What a BackwardFunction works with.
class Gradients {
 public:
  /// The gradient of the op's output, in the output's shape.
  const Tensor& of_output() const { return of_output_; }
  /// Whether the gradient of the op's input number `input` is asked for.
  bool needs(int input) const { return node_.inputs[input] >= 0; }
  /// Gives the gradient of input number `input`: assigned when it is the first to arrive, added
  /// afterwards. Ignored where it is not asked for. Throws Error on a wrong shape or dtype.
  void set(int input, const Tensor& gradient);
  /// Where the gradient of that input is asked for, calls compute(gradient) with an uninitialised
  /// tensor of that shape, and of the output's dtype and device, and sets it.
  template <class F>
  void set_computed(int input, const Shape& shape, F&& compute) {
    if (!needs(input)) return;
    Tensor gradient = Tensor::empty(shape, of_output_.dtype(), of_output_.device());
    compute(gradient);
    set(input, gradient);
  }
  /// A tensor that was saved when the op was recorded.
  const Tensor& saved(int i) const { return node_.saved[i].first; }

  /// For an op that computes its output again, on `tape`, in backward: goes on through that tape,
  /// from `output`, to which of_output() belongs. leaves[i] stands there for the op's input number
  /// i, and is undefined where no gradient goes that way. Every contribution arrives in the order,
  /// and so with the bits, that it would have had if all had been recorded on this tape from the
  /// start; the leaves' own gradients stay as they are. The tape is consumed.
  void continue_on(Tape& tape, const Tensor& output, std::span<const Tensor> leaves);

 private:
  friend class Tape;
  Gradients(Tape& tape, const Tape::Node& node, const Tensor& of_output)
      : tape_(tape), node_(node), of_output_(of_output) {}

  Tape& tape_;
  const Tape::Node& node_;
  const Tensor& of_output_;
};

/// Called by every differentiable op with its result: puts it on the recording tape if an input
/// needs a gradient. `saved` are the tensors that `backward` will ask for; it must hold no tensor
/// by other means, or changes to it would go unnoticed.
///
///   record("exp", {&x}, y, {&y}, [](Gradients& g) { g.set(0, mul(g.of_output(), g.saved(0))); });
template <class F>
void record(const char* op, std::span<const Tensor* const> inputs, Tensor& output,
            std::span<const Tensor* const> saved, F&& backward) {
  if (Anomaly::enabled()) Anomaly::inspect(output, op, "result");
  Tape* tape = Tape::recording();
  const auto needs_gradient = [&](const Tensor* input) { return tape->index_of(*input) >= 0; };
  if (!tape || std::none_of(inputs.begin(), inputs.end(), needs_gradient)) return;
  bad_alloc_as_error([&] { tape->append(op, inputs, output, saved, std::forward<F>(backward)); });
}

template <class F>
void record(const char* op, std::initializer_list<const Tensor*> inputs, Tensor& output,
            std::initializer_list<const Tensor*> saved, F&& backward) {
  record(op, std::span(inputs.begin(), inputs.size()), output,
         std::span(saved.begin(), saved.size()), std::forward<F>(backward));
}

}  // namespace pade
