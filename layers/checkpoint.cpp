#include <utility>
#include <vector>

#include <pade/core/error.h>
#include <pade/core/tape.h>
#include <pade/layers/checkpoint.h>

namespace pade {
namespace {

/// Shows all buffers and generators at and below a module, in the order of visit().
class StateVisitor : public ModuleVisitor {
 public:
  void child(const std::string&, Module& module) override { module.visit(*this); }
};

/// What a forward pass of a module reads besides its input and parameters, and changes.
struct State {
  std::vector<Tensor> buffers;
  std::vector<Rng> generators;
  std::vector<bool> modes;  // training() of the module and all below

  /// A copy of what is there now.
  explicit State(Module& module) {
    struct Copy : StateVisitor {
      explicit Copy(State& state) : to(state) {}
      void buffer(const std::string&, Tensor& tensor) override {
        to.buffers.push_back(tensor.defined() ? tensor.clone() : Tensor());
      }
      void generator(const std::string&, Rng& rng) override { to.generators.push_back(rng); }
      State& to;
    } copy(*this);
    module.visit(copy);
    modes = modes_of(module);
  }

  static std::vector<bool> modes_of(Module& module) {
    std::vector<bool> modes;
    module.for_each_module([&](const std::string&, Module& m) { modes.push_back(m.training()); });
    return modes;
  }
};

/// Has a module in an earlier state for as long as this is in scope.
class Earlier {
 public:
  Earlier(Module& module, State state) : state_(std::move(state)) {
    struct Places : StateVisitor {
      explicit Places(Earlier& earlier) : to(earlier) {}
      void buffer(const std::string&, Tensor& tensor) override { to.buffers_.push_back(&tensor); }
      void generator(const std::string&, Rng& rng) override { to.generators_.push_back(&rng); }
      Earlier& to;
    } places(*this);
    module.visit(places);
    exchange();
  }
  ~Earlier() { exchange(); }
  Earlier(const Earlier&) = delete;
  Earlier& operator=(const Earlier&) = delete;

 private:
  /// Exchanges the tensors themselves, so that nothing counts as changed in place. Does not look
  /// through the module, which may need memory that a destructor does not get.
  void exchange() {
    for (size_t i = 0; i < buffers_.size(); ++i) std::swap(*buffers_[i], state_.buffers[i]);
    for (size_t i = 0; i < generators_.size(); ++i)
      std::swap(*generators_[i], state_.generators[i]);
  }

  State state_;
  std::vector<Tensor*> buffers_;  // the module's
  std::vector<Rng*> generators_;
};

/// `state` with buffers of its own, as what runs on them changes them.
State copy_of(const State& state) {
  State copy = state;
  for (Tensor& buffer : copy.buffers)
    if (buffer.defined()) buffer = buffer.clone();
  return copy;
}

}  // namespace

Tensor checkpoint(Module& block, const Tensor& x) {
  return checkpoint(
      block, [&block](const Tensor& input) { return block(input); }, x);
}

Tensor checkpoint(Module& owner, std::function<Tensor(const Tensor&)> run, const Tensor& x) {
  if (!Tape::recording()) return run(x);
  State before(owner);
  Tensor y;
  {
    const NoGrad no_grad;
    y = run(x).detach();
  }
  std::vector<Parameter> parameters = owner.parameters();
  std::vector<const Tensor*> inputs{&x};
  for (const Parameter& parameter : parameters) inputs.push_back(&parameter.tensor);
  record("checkpoint", inputs, y, inputs,
         [&owner, run = std::move(run), before = std::move(before),
          count = inputs.size()](Gradients& gradients) {
           check(State::modes_of(owner) == before.modes,
                 "checkpoint: the block was switched between train and eval mode before backward() "
                 "could compute it again; switch afterwards");
           std::vector<Tensor> leaves;
           for (size_t i = 0; i < count; ++i)
             leaves.push_back(gradients.saved(static_cast<int>(i)));
           leaves[0] = leaves[0].detach();
           if (gradients.needs(0)) leaves[0].requires_grad_();
           Tape tape;
           Tensor output;
           {
             const Earlier state(owner, copy_of(before));
             const ForwardObserver nobody({});
             output = run(leaves[0]);
           }
           gradients.continue_on(tape, output, leaves);
         });
  return y;
}

Tensor CheckpointedSequential::forward(const Tensor& x) {
  return checkpoint(
      *this, [this](const Tensor& input) { return Sequential::forward(input); }, x);
}

}  // namespace pade
