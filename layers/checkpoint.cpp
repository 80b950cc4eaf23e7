#include <utility>
#include <vector>

#include <pade/core/error.h>
#include <pade/core/tape.h>
#include <pade/layers/checkpoint.h>
#include <pade/layers/forward_observer.h>

namespace pade {
namespace {

/// What a forward pass of a module reads, and changes, besides its input and parameters.
struct Places : ModuleVisitor {
  std::vector<Tensor*> buffers;
  std::vector<Rng*> generators;
  std::vector<bool> modes;  // training() of the module and all below

  explicit Places(Module& root) { child("", root, {}); }
  void buffer(const std::string&, Tensor& tensor) override { buffers.push_back(&tensor); }
  void generator(const std::string&, Rng& rng) override { generators.push_back(&rng); }
  void child(const std::string&, Module& module, const ModuleSlot&) override {
    modes.push_back(module.training());
    module.visit(*this);
  }
};

Tensor copy_of(const Tensor& buffer) { return buffer.defined() ? buffer.clone() : buffer; }

/// A copy of what is in those places.
struct State {
  std::vector<Tensor> buffers;
  std::vector<Rng> generators;
  std::vector<bool> modes;

  explicit State(const Places& places) : modes(places.modes) {
    for (const Tensor* buffer : places.buffers) buffers.push_back(copy_of(*buffer));
    for (const Rng* rng : places.generators) generators.push_back(*rng);
  }
};

/// Has a module in an earlier state for as long as this is in scope.
class Earlier {
 public:
  Earlier(Places places, const State& state) : places_(std::move(places)), state_(state) {
    for (Tensor& buffer : state_.buffers) buffer = copy_of(buffer);  // what runs on it changes it
    exchange();
  }
  ~Earlier() { exchange(); }
  Earlier(const Earlier&) = delete;
  Earlier& operator=(const Earlier&) = delete;

 private:
  /// Exchanges the tensors themselves, so that nothing counts as changed in place. Does not look
  /// through the module, which may need memory that a destructor does not get.
  void exchange() {
    for (size_t i = 0; i < state_.buffers.size(); ++i)
      std::swap(*places_.buffers[i], state_.buffers[i]);
    for (size_t i = 0; i < state_.generators.size(); ++i)
      std::swap(*places_.generators[i], state_.generators[i]);
  }

  Places places_;
  State state_;
};

}  // namespace

Tensor checkpoint(Module& block, const Tensor& x) {
  return checkpoint(
      block, [&block](const Tensor& input) { return block(input); }, x);
}

Tensor checkpoint(Module& owner, std::function<Tensor(const Tensor&)> run, const Tensor& x) {
  if (!Tape::recording()) return run(x);
  const State before{Places(owner)};
  Tensor y;
  {
    const NoGrad no_grad;
    y = run(x).detach();
  }
  std::vector<Parameter> parameters = owner.parameters();
  std::vector<const Tensor*> inputs{&x};
  for (const Parameter& parameter : parameters) inputs.push_back(&parameter.tensor);
  record("checkpoint", inputs, y, inputs,
         [&owner, run = std::move(run), before, count = inputs.size()](Gradients& gradients) {
           Places places(owner);
           check(places.modes == before.modes,
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
             const Earlier state(std::move(places), before);
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
