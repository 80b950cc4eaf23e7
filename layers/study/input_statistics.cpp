#include <pade/core/error.h>
#include <pade/layers/rational.h>
#include <pade/layers/study/input_statistics.h>

namespace pade {

InputStatistics::InputStatistics(Module& network, InputStatisticsOptions options)
    : samples_per_call_(options.samples_per_call) {
  check(samples_per_call_ >= 0, "InputStatistics: expected samples_per_call >= 0, got ",
        samples_per_call_);
  network.for_each_module([&](const std::string& path, Module& module) {
    const bool watched =
        options.watch ? options.watch(path, module) : dynamic_cast<Rational*>(&module) != nullptr;
    if (!watched) return;
    index_[&module] = layers_.size();
    layers_.push_back({path, {}, 1});
  });
}

ForwardObserver InputStatistics::collect() {
  return ForwardObserver(
      [this](const std::string&, Module& module, const Tensor& input, const Tensor&) {
        const auto found = index_.find(&module);
        if (found == index_.end()) return;
        const bool cut =
            samples_per_call_ > 0 && input.rank() > 0 && input.extent(0) > samples_per_call_;
        const Tensor x = input.detach();
        Layer& layer = layers_[found->second];
        layer.inputs.add(cut ? x.slice(0, samples_per_call_) : x);
        layer.channels = x.rank() > 1 ? x.extent(1) : 1;
      });
}

void InputStatistics::clear() {
  for (Layer& layer : layers_) layer = {layer.name, {}, 1};
}

}  // namespace pade
