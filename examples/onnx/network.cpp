#include "onnx/network.h"

#include <algorithm>
#include <initializer_list>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include <pade/core/error.h>
#include <pade/core/tape.h>
#include <pade/layers/batch_norm.h>
#include <pade/layers/conv.h>
#include <pade/layers/forward_observer.h>
#include <pade/layers/linear.h>
#include <pade/layers/pool.h>

#include "onnx/activation.h"

namespace pade::onnx {
namespace {

constexpr int64_t kBatch = 2;  // of the pass that is recorded

using Extents = std::vector<int64_t>;
Extents extents(Size2 size) { return {size.h, size.w}; }
Extents both_sides(Size2 padding) { return {padding.h, padding.w, padding.h, padding.w}; }

/// Makes operators of what a tape has recorded.
class Exporter {
 public:
  Exporter(Module& network, const Tape& tape, int64_t input, Graph& graph)
      : tape_(tape), graph_(graph), values_(tape.nodes().size()) {
    network.for_each_module([&](const std::string& path, Module& m) { modules_[path] = &m; });
    values_[static_cast<size_t>(input)] = graph.input();
    for (size_t i = 0; i < values_.size(); ++i) {
      const Tape::Node& node = tape.nodes()[i];
      const auto depends_on_input = [&](int64_t operand) { return !value(operand).empty(); };
      if (std::none_of(node.inputs.begin(), node.inputs.end(), depends_on_input)) continue;
      graph.path = node.path;
      values_[i] = add(node);
    }
  }

  /// The value that belongs to a node; empty where that does not depend on the input.
  std::string value(int64_t node) const {
    return node < 0 ? "" : values_[static_cast<size_t>(node)];
  }

 private:
  /// The module whose forward pass the node is; null where that is of another kind.
  template <class M>
  const M* module_of(const Tape::Node& node) const {
    const auto found = modules_.find(node.path);
    return found == modules_.end() ? nullptr : dynamic_cast<const M*>(found->second);
  }

  /// An operator of the node's first input and the module's tensors, of those that are defined.
  std::string add(const char* op, const Tape::Node& node,
                  std::initializer_list<std::pair<const char*, Tensor>> tensors = {},
                  const std::vector<Attribute>& attributes = {}) {
    std::vector<std::string> inputs{value(node.inputs[0])};
    for (const auto& [name, tensor] : tensors)
      if (tensor.defined()) inputs.push_back(graph_.tensor(node.path + "." + name, tensor));
    return graph_.node(op, inputs, attributes);
  }

  std::string add(const Tape::Node& node) {
    const std::string_view op = node.op;
    if (const auto* conv = module_of<Conv2d>(node)) {
      const Conv2dOptions& options = conv->options();
      return add("Conv", node, {{"weight", conv->weight}, {"bias", conv->bias}},
                 {{"strides", extents(options.stride)},
                  {"pads", both_sides(options.padding)},
                  {"dilations", extents(options.dilation)},
                  {"group", options.groups}});
    }
    if (const auto* linear = module_of<Linear>(node); linear && op == "linear")
      return add("Gemm", node, {{"weight", linear->weight}, {"bias", linear->bias}},
                 {{"transB", int64_t{1}}});
    if (const auto* norm = module_of<BatchNorm>(node)) {
      const Tensor &mean = norm->running_mean, &variance = norm->running_var;
      const bool affine = norm->weight.defined();
      return add("BatchNormalization", node,
                 {{"weight", affine ? norm->weight : Tensor::ones(mean.shape())},
                  {"bias", affine ? norm->bias : Tensor::zeros_like(mean)},
                  {"running_mean", mean},
                  {"running_var", variance}},
                 {{"epsilon", norm->eps()}});
    }
    if (const auto* pool = module_of<Pool2d>(node)) {
      std::vector<Attribute> attributes{{"kernel_shape", extents(pool->kernel())},
                                        {"strides", extents(pool->stride())},
                                        {"pads", both_sides(pool->padding())}};
      if (op == "max_pool2d") return add("MaxPool", node, {}, attributes);
      attributes.emplace_back("count_include_pad", int64_t{1});
      return add("AveragePool", node, {}, attributes);
    }
    if (module_of<GlobalAvgPool2d>(node)) return add("GlobalAveragePool", node);
    if (const auto* activation = module_of<Activation>(node))
      return add_activation(graph_, functions_of(*activation), value(node.inputs[0]), node.shape);
    return add_plain(node);
  }

  /// What a block computes beside the modules in it, and Flatten.
  std::string add_plain(const Tape::Node& node) {
    const std::string_view op = node.op;
    if (op == "reshape" && node.shape.rank() == 2 && node.shape[0] == kBatch)
      return add("Flatten", node);
    if (const Formula* formula = find_formula(op); formula && formula->constants.empty())
      return add_activation(graph_, {{*formula, {}}}, value(node.inputs[0]), node.shape);
    if (op == "add" || op == "mul") {
      const std::string a = value(node.inputs[0]), b = value(node.inputs[1]);
      if (!a.empty() && !b.empty()) return graph_.node(op == "add" ? "Add" : "Mul", {a, b});
    }
    fail("onnx: cannot export ", op, " in ", node.path.empty() ? "the network" : node.path,
         "; what can be is in examples/onnx/network.h");
  }

  const Tape& tape_;
  Graph& graph_;
  std::vector<std::string> values_;
  std::map<std::string, Module*> modules_;
};

}  // namespace

std::string onnx_of(Module& network, const Shape& sample, const Description& description) {
  std::vector<int64_t> batch{kBatch};
  batch.insert(batch.end(), sample.begin(), sample.end());
  network.eval();
  const Tensor images = Tensor::zeros(Shape(batch)).requires_grad_();
  // While modules are observed, a batch norm and its activation are two ops.
  const ForwardObserver observer([](const std::string&, Module&, const Tensor&, const Tensor&) {});
  Tape tape;
  const Tensor logits = network(images);
  Graph graph("images", sample);
  const Exporter exporter(network, tape, tape.index_of(images), graph);
  const Shape& shape = logits.shape();
  check(shape.rank() >= 1 && shape[0] == kBatch && tape.index_of(logits) != tape.index_of(images),
        "onnx: expected a network from [N, …] to [N, …], got ", shape, " for a batch of ", kBatch);
  return graph.file(exporter.value(tape.index_of(logits)), "logits",
                    Shape(std::vector<int64_t>(shape.begin() + 1, shape.end())), description);
}

}  // namespace pade::onnx
