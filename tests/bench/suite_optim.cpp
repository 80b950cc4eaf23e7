// What follows a backward pass: optimisers' steps over the parameters of whole networks.
#include <memory>

#include <pade/core/error.h>
#include <pade/optim/adam.h>
#include <pade/optim/clip.h>
#include <pade/optim/sgd.h>

#include "models/models.h"
#include "suite.h"

namespace pade::bench {
namespace {

/// Its parameters are counted here, for its cost is asked for before there is a network.
struct Model {
  const char* name;
  int64_t parameters;
};
constexpr Model kModels[] = {{"lenet", 62006}, {"mobilenetv2", 2296922}};

/// A network's parameters with gradients, which are as fresh as after a backward pass.
class Trained {
 public:
  explicit Trained(const Model& model)
      : network_(models::make_model(model.name, "relu", 10)), parameters_(network_.parameters()) {
    int64_t count = 0;
    for (const Parameter& parameter : parameters_) {
      gradients_.push_back(random_numbers(parameter.tensor.shape()));
      count += parameter.tensor.size();
    }
    check(count == model.parameters, model.name, " has ", count, " parameters, not ",
          model.parameters);
    refresh();
  }

  void refresh() {
    for (size_t i = 0; i < parameters_.size(); ++i) parameters_[i].tensor.set_grad(gradients_[i]);
  }
  const std::vector<Parameter>& parameters() const { return parameters_; }

 private:
  Sequential network_;
  std::vector<Parameter> parameters_;
  std::vector<Tensor> gradients_;
};

template <class Kind, class Options>
Work steps(const Model& model, Options options) {
  const auto trained = std::make_shared<Trained>(model);
  const auto optimizer = std::make_shared<Kind>(trained->parameters(), options);
  return [=] {
    trained->refresh();
    optimizer->step();
  };
}

}  // namespace

void add_optimizers() {
  for (const Model& model : kModels) {
    const double all = floats(model.parameters);
    // Each reads parameter and gradient and writes the parameter, and reads and writes its
    // memories.
    const Cost with_one_memory{0, 5 * all}, with_two_memories{0, 7 * all};
    add_work("sgd_momentum/" + std::string(model.name), with_one_memory,
             [model] { return steps<Sgd>(model, SgdOptions{.lr = 1e-6, .momentum = .9}); });
    add_work("sgd_nesterov/" + std::string(model.name), with_one_memory, [model] {
      return steps<Sgd>(
          model, SgdOptions{.lr = 1e-6, .momentum = .9, .nesterov = true, .weight_decay = 5e-4});
    });
    add_work("adam/" + std::string(model.name), with_two_memories,
             [model] { return steps<Adam>(model, AdamOptions{.lr = 1e-6}); });
    add_work("adamw/" + std::string(model.name), with_two_memories, [model] {
      return steps<AdamW>(model, AdamOptions{.lr = 1e-6, .weight_decay = 1e-2});
    });
    add_work("clip_grad_norm/" + std::string(model.name), {0, 3 * all},
             [model] {  // read for the norm, then changed
               const auto trained = std::make_shared<Trained>(model);
               return Work([=] {
                 trained->refresh();
                 clip_grad_norm(trained->parameters(), 1e-3);
               });
             });
  }
}

}  // namespace pade::bench
