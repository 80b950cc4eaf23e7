#include <algorithm>

#include <pade/core/error.h>
#include <pade/optim/parameter_checks.h>
#include <pade/optim/weight_average.h>

namespace pade {

WeightAverage::WeightAverage(std::vector<std::pair<std::string, Tensor>> tensors, double decay)
    : tensors_(std::move(tensors)), updates_(Tensor::zeros({1}, DType::int32)), decay_(decay) {
  check(decay >= 0 && decay < 1, "WeightAverage: expected a decay of at least 0 and below 1, got ",
        decay);
  check_no_overlap("WeightAverage", tensors_);
  for (const auto& [name, tensor] : tensors_) averages_.push_back(tensor.detach().clone());
}

void WeightAverage::check_shared() const {
  for (const auto& [name, tensor] : tensors_)
    check(!tensor.is_only_handle(), "WeightAverage: the network does not hold this \"", name,
          "\" any more; make the average after network.to(…) or replace(), which give the network ",
          "other tensors");
}

void WeightAverage::average_with(double decay) {
  check(!swapped_, "WeightAverage: update() while the network holds the averages; swap() first");
  check_shared();
  ++updates_.mutable_data<int32_t>()[0];
  for (size_t i = 0; i < tensors_.size(); ++i) {
    const Tensor tensor = tensors_[i].second.detach();
    if (is_floating(tensor.dtype()))
      averages_[i].mul_(decay).add_(tensor, 1 - decay);
    else
      averages_[i].copy_(tensor);
  }
}

void WeightAverage::update() {
  const int32_t number = updates_.data<int32_t>()[0] + 1;
  average_with(std::min(decay_, number / (number + 9.0)));
}

void WeightAverage::pull_back(double decay) {
  check(decay >= 0 && decay <= 1, "WeightAverage: expected a decay from 0 to 1, got ", decay);
  average_with(decay);
  for (size_t i = 0; i < tensors_.size(); ++i) tensors_[i].second.detach().copy_(averages_[i]);
}

void WeightAverage::swap() {
  check_shared();
  std::vector<Tensor> kept;  // all before the first exchange: one of them may find no memory
  for (const Tensor& average : averages_) kept.push_back(average.clone());
  for (size_t i = 0; i < tensors_.size(); ++i) {
    averages_[i].copy_(tensors_[i].second.detach());
    tensors_[i].second.detach().copy_(kept[i]);
  }
  swapped_ = !swapped_;
}

std::vector<std::pair<std::string, Tensor>> WeightAverage::state() const {
  std::vector<std::pair<std::string, Tensor>> state{{"updates", updates_}};
  for (size_t i = 0; i < tensors_.size(); ++i)
    state.emplace_back("average." + tensors_[i].first, averages_[i]);
  return state;
}

}  // namespace pade
